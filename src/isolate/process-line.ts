/** A host that is a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { errors } from '../errors.ts';
import { Arrays } from './arrays.ts';
import { Inbox } from './inbox.ts';
import { HOST_PROGRAM } from './host-program.ts';
import type { FromHost, MemoryAnswer, MemoryAsk, ToHost } from './messages.ts';
import { isMessage } from './port.ts';
import type { HostEnd, Line, LineOptions } from './line.ts';
import { Tail } from './tail.ts';
import { toWireError } from './wire.ts';

export interface ProcessOptions {
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Of Node.js, such as `--max-old-space-size=512`. */
  readonly execArgv: readonly string[];
  /** Resident memory above which it is ended; null for no bound. */
  readonly maxRssBytes: number | null;
}

const MEMORY_FD = 3;
const RSS_LOOK_MS = 250;
const PAGE_BYTES = 4096;
/** Between the end of a process and that of its pipes, for what it wrote last: a process that it started may hold them. */
const LAST_WORDS_MS = 100;

/** @param role of the process: it runs a version, or tries one whose memory nobody else may see */
export function startProcess(
  options: ProcessOptions,
  shared: LineOptions,
  role: 'version' | 'rehearsal' = 'version',
): Line {
  return new ProcessLine(options, shared, role);
}

class ProcessLine implements Line {
  readonly #child: ChildProcess;
  #stderr = new Tail();
  readonly #memory: Socket | null;
  readonly #listeners = new Set<(end: HostEnd) => void>();
  readonly #inbox = new Inbox();
  readonly #makeArrays: () => Arrays;
  arrays: Arrays;
  #answer: ((request: MemoryAsk) => MemoryAnswer) | null = null;
  #end: HostEnd | null = null;
  #reason: HostEnd['reason'] = 'exit';
  #rssTimer: NodeJS.Timeout | null = null;

  constructor(
    { env, execArgv, maxRssBytes }: ProcessOptions,
    { addon, native, pool }: LineOptions,
    role: string,
  ) {
    this.#makeArrays = () => new Arrays(addon, native, (arrays) => this.post({ arrays }), pool);
    this.arrays = this.#makeArrays();
    this.#child = fork(fileURLToPath(HOST_PROGRAM), [String(process.pid), role], {
      env: { ...process.env, ...env },
      execArgv: [...execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'pipe', 'ipc'],
    });
    const { stderr } = this.#child;
    // Where no descriptor was left, there are no pipes; 'error' tells of that.
    this.#memory = (this.#child.stdio?.[MEMORY_FD] as Socket | undefined) ?? null;
    stderr?.on('data', (bytes: Buffer) => {
      this.#stderr.add(bytes);
      process.stderr.write(bytes);
    });
    this.#child.on('message', (message) => {
      if (isMessage(message)) this.#inbox.deliver(message as FromHost);
    });
    // A write to a host that has just ended; its end is told by 'exit'.
    this.#child.on('error', (error) => this.#couldNotStart(error));
    this.#memory?.on('error', () => undefined);
    this.#child.once('exit', (exitCode, signal) => this.#exited(exitCode, signal));
    for (const end of [stderr, this.#memory]) if (end instanceof Socket) end.unref();
    if (maxRssBytes !== null) this.#watchRss(maxRssBytes);
    this.hold(true);
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  get isUp(): boolean {
    const { exitCode, signalCode, connected } = this.#child;
    // One that was just killed has no memory any more, well before we are told.
    return exitCode === null && signalCode === null && connected && residentBytes(this.pid) > 0;
  }

  post(message: ToHost): void {
    if (this.#end !== null || !this.#child.connected) return;
    this.#child.send(message, () => undefined);
  }

  onMessage(listener: (message: FromHost) => void): void {
    this.#inbox.listen(listener);
  }

  onMemoryAsk(listener: (request: MemoryAsk) => MemoryAnswer): void {
    const isFirst = this.#answer === null;
    this.#answer = listener;
    if (isFirst) this.#listenToMemory(listener);
  }

  #listenToMemory(first: (request: MemoryAsk) => MemoryAnswer): void {
    let text = '';
    this.#memory?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        try {
          const request = JSON.parse(line) as MemoryAsk;
          this.#memory?.write(`${JSON.stringify(asText(request, (this.#answer ?? first)(request)))}\n`);
        } catch {
          // Code of the addon has written to a descriptor that is none of its own: no answer would be understood.
          this.kill('exit');
        }
      }
    });
    this.#memory?.unref();
  }

  onEnd(listener: (end: HostEnd) => void): () => void {
    if (this.#end === null) this.#listeners.add(listener);
    else listener(this.#end);
    return () => void this.#listeners.delete(listener);
  }

  reset(): void {
    this.#inbox.reset();
    this.arrays.end();
    this.arrays = this.#makeArrays();
    this.#stderr = new Tail();
    this.post({ reset: true });
  }

  hold(on: boolean): void {
    const method = on ? 'ref' : 'unref';
    this.#child[method]();
    this.#child.channel?.[method]();
  }

  kill(reason: HostEnd['reason']): void {
    if (this.#end !== null) return;
    if (this.#reason === 'exit') this.#reason = reason;
    this.#child.kill('SIGKILL');
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #couldNotStart(error: Error): void {
    if (this.#child.pid !== undefined || this.#end !== null) return;
    this.#tell({ exitCode: null, signal: null, stderr: '', reason: 'start-failed', cause: error });
  }

  #exited(exitCode: number | null, signal: NodeJS.Signals | null): void {
    if (this.#rssTimer !== null) clearInterval(this.#rssTimer);
    const tell = (): void => {
      clearTimeout(timer);
      if (this.#child.connected) this.#child.disconnect();
      this.#memory?.destroy();
      this.#child.stderr?.destroy();
      this.#tell({ exitCode, signal, stderr: this.#stderr.text, reason: this.#reason });
    };
    const timer = setTimeout(tell, LAST_WORDS_MS);
    // Answers that it gave before it ended are still on their way, as its last words are.
    const { stderr } = this.#child;
    const tellIfRead = (): void => {
      if (!this.#child.connected && (stderr === null || stderr.readableEnded)) tell();
    };
    this.#child.once('disconnect', tellIfRead);
    stderr?.once('end', tellIfRead);
    tellIfRead();
  }

  #tell(end: HostEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    for (const listener of this.#listeners) listener(end);
  }

  #watchRss(maxBytes: number): void {
    this.#rssTimer = setInterval(() => {
      if (residentBytes(this.pid) > maxBytes) this.kill('memory-limit');
    }, RSS_LOOK_MS);
    this.#rssTimer.unref();
  }
}

/** Memory that has no file cannot be had elsewhere. */
function asText({ name, byteLength: wanted }: MemoryAsk, answer: MemoryAnswer): MemoryAnswer {
  if (!('view' in answer)) return answer;
  const operation = 'napi_create_external_arraybuffer';
  return { error: toWireError(errors.memoryUnavailable({ name, wanted, operation, errno: 'EOPNOTSUPP' })) };
}

/** The second number of `statm` counts resident pages (proc_pid_statm(5)); 0 where that cannot be read. */
export function residentBytes(pid: number | null): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
