/** Where the program of a host is: what is run from its sources has it beside the built files. */
const FILE = import.meta.url.endsWith('.ts') ? '../../dist/isolate/host-main.js' : './host-main.js';

export const HOST_PROGRAM: URL = new URL(FILE, import.meta.url);
