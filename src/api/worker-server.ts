/** What `new Headers()` takes, without the name that each runtime has for it. */
export type HeaderFields =
  Response["headers"] | Record<string, string> | [name: string, value: string][];

/** What the second argument of an app's fetch has besides what Bun's own Server has. */
export interface WorkerServer {
  /** Which of the workers this is, from 0 on; a successor has the same. */
  readonly slot: number;
  /** Where the app is mounted: the setting root_path. Worker class serve has no such setting. */
  readonly rootPath?: string;
  /**
   * Sends `103 Early Hints` with these fields at once, so that the client can fetch what the answer will need while the app
   * is at work on it (RFC 8297). May be called several times.
   * @returns false if nothing was sent: the answer has begun, the client speaks HTTP/1.0, has left, or doesn't read
   * @throws TypeError for a field that no answer can have; Error in worker class serve, since Bun.serve can't send it
   */
  earlyHints(request: Request, headers: HeaderFields): boolean;
}
