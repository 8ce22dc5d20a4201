/** The last lines of what somebody writes. */

const BYTES_MAX = 8 * 1024;
const LINES_MAX = 20;

export class Tail {
  #bytes: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]).subarray(-BYTES_MAX);
  }

  get text(): string {
    return this.#bytes.toString().trimEnd().split('\n').slice(-LINES_MAX).join('\n');
  }
}
