/** Outlives its exchanges. */
export interface EngineConnection {
  /** No request follows: it ends behind the answer that is under way, or now. */
  hangUp(): void;
}

/** The engine's side of the exchange. */
export interface EngineExchange {
  readonly head: { readonly versionMinor: number };
  /** The client waits for 100 Continue. */
  readonly expectsContinue: boolean;
  /** Sends 103 Early Hints and the like. */
  sendInterim(interim: { readonly head: string; readonly ascii: boolean }): boolean;
  readonly connection: EngineConnection;
}
