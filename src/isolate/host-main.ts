/** The program of a host: the file of a Worker, and what a child process runs. */
import { readSync, writeSync } from 'node:fs';
import {
  isMainThread,
  type MessagePort,
  parentPort,
  receiveMessageOnPort,
  workerData,
} from 'node:worker_threads';
import { realHere } from '../here.ts';
import type { AskForMemory } from '../state/memory.ts';
import { openMemoryView } from '../state/memory-view.ts';
import { Host } from './host.ts';
import type { FromHost, MemoryAnswer, MemoryAsk, ToHost } from './messages.ts';
import type { Port } from './port.ts';
import { fromWireError, type Giver } from './wire.ts';

/** Descriptor of the line on which a child process asks for memory. */
const MEMORY_FD = 3;
const LINE_END = 10;

/** What a Worker is given. */
export interface WorkerData {
  readonly memoryPort: MessagePort;
  /** Counts the answers that were sent. */
  readonly answers: Int32Array;
}

const nothing: Giver = { give: () => undefined };

function startInProcess(): void {
  const parent = Number(process.argv[2]);
  // A parent that is killed cannot tell its children, and code that never returns would not hear it.
  if (!realHere.native.dieWithParent(parent) || !process.connected) process.exit(0);
  process.on('disconnect', () => process.exit(0));
  // Of a terminal, it is sent to all of its processes: what it means is for the handle's side to say.
  process.on('SIGINT', () => undefined);
  const send = process.send?.bind(process);
  // Code that would tell a process manager of itself, as many do, finds that there is none.
  delete process.send;
  const port: Port<FromHost, ToHost> = {
    // Whoever has gone misses no answer.
    post: (message) => void send?.(message, undefined, undefined, () => undefined),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToHost)),
  };
  // Of a rehearsal nothing may be left.
  const isPrivate = process.argv[3] === 'rehearsal';
  serve(port, () => askBy(askByDescriptor, isPrivate));
}

function startInWorker(port: MessagePort, { memoryPort, answers }: WorkerData): void {
  const ask = (request: MemoryAsk): MemoryAnswer => {
    const before = Atomics.load(answers, 0);
    memoryPort.postMessage(request);
    Atomics.wait(answers, 0, before);
    const received = receiveMessageOnPort(memoryPort) as { readonly message: MemoryAnswer };
    return received.message;
  };
  const ends: Port<FromHost, ToHost> = {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
  };
  serve(ends, () => askBy(ask, false));
}

/** One version after the other, each with a host of its own; what an earlier one has to say is no matter any more. */
function serve(port: Port<FromHost, ToHost>, memoryOf: () => AskForMemory): void {
  let receive = (_message: ToHost): void => undefined;
  let end = (): void => undefined;
  const begin = (): void => {
    let isCurrent = true;
    const own: Port<FromHost, ToHost> = {
      post(message) {
        if (isCurrent) port.post(message);
      },
      onMessage(listener) {
        receive = listener;
      },
    };
    const host = new Host(own, { outside: realHere, memory: memoryOf() });
    end = () => {
      host.end();
      isCurrent = false;
    };
  };
  port.onMessage((message) => {
    if (!('reset' in message)) return receive(message);
    end();
    port.post({ fresh: true });
    begin();
  });
  begin();
}

/** Memory is the handle's, and a hook that asks for it goes on only when it has it. */
function askBy(ask: (request: MemoryAsk) => MemoryAnswer, isPrivate: boolean): AskForMemory {
  // One address for each name, as long as it has that size: of one version, as the next may find other bytes there.
  const views = new Map<string, Uint8Array>();
  return (name, byteLength, options) => {
    const answer = ask({ name, byteLength, grow: options?.grow === true });
    if ('error' in answer) throw fromWireError(answer.error, nothing);
    if ('view' in answer) return answer.view;
    const known = views.get(name);
    if (known?.byteLength === answer.file.bytes) return known;
    const view = openMemoryView({ addon: '', name }, answer.file, realHere.native, isPrivate);
    views.set(name, view);
    return view;
  };
}

function askByDescriptor(request: MemoryAsk): MemoryAnswer {
  writeSync(MEMORY_FD, `${JSON.stringify(request)}\n`);
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(4096);
    const count = readSync(MEMORY_FD, chunk);
    // The handle's process has gone.
    if (count === 0) process.exit(0);
    chunks.push(chunk.subarray(0, count));
    if (chunk[count - 1] === LINE_END) break;
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as MemoryAnswer;
}

if (isMainThread) startInProcess();
else if (parentPort !== null) startInWorker(parentPort, workerData as WorkerData);
