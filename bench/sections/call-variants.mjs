// How a function that was taken before ten reloads gets to the code that is current after them.
/** @type {readonly string[]} */
export const CALL_VARIANTS = ['direct', 'closure', 'proxy', 'napi-reload'];
