/** The engine's side of the exchange. */
export interface EngineExchange {
  readonly head: { readonly versionMinor: number };
  /** The client waits for 100 Continue. */
  readonly expectsContinue: boolean;
  /** Sends 103 Early Hints and the like. */
  sendInterim(interim: { readonly head: string; readonly ascii: boolean }): boolean;
  /** No request follows this one. */
  hangUp(): void;
}
