/** What is published, in a form that goes to other processes. */

/** What the subscribers of a topic are to get: a text, or binary data. */
export interface Publication {
  readonly topic: string;
  readonly data: string | Uint8Array;
  readonly compress: boolean;
}

/** To the other workers, and from them. */
export interface PublishChannel {
  /** Whether any other worker wants what this one publishes. */
  readonly hasAudience: boolean;
  /** Sends it to the other workers, in the order of the calls. */
  publish(publication: Publication): void;
  /** Once it resolves, `receive` gets whatever the others publish. */
  join(receive: (publication: Publication) => void): Promise<void>;
}

/** As Bun's publish takes its arguments: what is neither text nor bytes is made a text. The bytes are a copy. */
export function publicationOf(topic: unknown, data: unknown, compress: unknown): Publication {
  // As Bun, which isn't asked where there is no server yet.
  if (String(topic) === "") throw new TypeError("publish requires a topic string");
  return { topic: String(topic), data: dataOf(data), compress: compress === true };
}

function dataOf(data: unknown): string | Uint8Array {
  if (typeof data === "string") return data;
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  }
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) {
    return new Uint8Array(data).slice();
  }
  if (data instanceof Blob) {
    const bytes = Bun.peek(data.bytes());
    // Bun sends the bytes of those that are in memory, and nothing of a file.
    return bytes instanceof Promise ? new Uint8Array() : bytes;
  }
  return String(data);
}
