import type { FileRoad } from "../../http/response/file-pump.ts";
import type { OutputBuffer } from "../../http/response/output.ts";
import type { Head } from "../../http/syntax/head.ts";

/** A request whose head has come. */
export interface ReceivedRequest {
  readonly head: Head;
  readonly hasBody: boolean;
  /** The client waits for 100 Continue. */
  readonly expectsContinue: boolean;
}

/** What an exchange needs of its connection. */
export interface Reply extends FileRoad {
  readonly output: OutputBuffer;
  /** The client can't be reached any more. */
  readonly gone: boolean;
  /** Writes what `output` holds; false while the client doesn't take it. */
  flush(): boolean;
  /** Writes it at once, also while the connection is in the middle of something, as in the app's synchronous part. */
  push(): void;
  pauseForBody(pause: boolean): void;
  /** From now on it is up to the client to send the body. */
  awaitBody(): void;
  /** Bytes of the body that haven't arrived; Infinity when nobody knows. */
  readonly bodyMissing: number;
  /** Ends the connection if the answer isn't out after so many ticks; 0: no limit. */
  answersWithin(ticks: number): void;
  /** No request follows: the connection ends behind this answer, or now if that is out. */
  hangUp(): void;
  /** The answer is out, or never will be: go on with the next request, or close. */
  finished(persistent: boolean): void;
  /**
   * The same for a body that ends with the connection and isn't complete: writes what it can, and leaves by a reset.
   */
  cutShort(): void;
}
