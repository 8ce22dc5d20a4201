/** Programs of this example that run as children: each answers a request by one message. */
import { fork } from 'node:child_process';

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {AbortSignal} signal ends it
 */
export function startChild(file, args, signal) {
  // What it prints is for a person; figures are the last line of our own stdout.
  return fork(file, args, { stdio: ['ignore', process.stderr, process.stderr, 'ipc'], signal });
}

/**
 * The next message of a child.
 *
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<object>} rejects when it ends instead
 */
export function answerOf(child) {
  return new Promise((resolve, reject) => {
    const onMessage = (message) => settle(() => resolve(message));
    const onExit = (code, signal) => settle(() => reject(new Error(`A child ended with ${signal ?? code}`)));
    const onError = (error) => settle(() => reject(error));
    const settle = (report) => {
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      report();
    };
    child.once('message', onMessage).once('exit', onExit).once('error', onError);
  });
}

/** Sends a request and waits for its answer; there is one at a time. */
export function ask(child, name) {
  const answer = answerOf(child);
  child.send(name, (error) => error && child.emit('error', error));
  return answer;
}

/** @param {import('node:child_process').ChildProcess} child which has been told to end, or will be now */
export async function ended(child, { kill = false } = {}) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  if (kill) child.kill('SIGKILL');
  await exit;
}
