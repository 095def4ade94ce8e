import type { Wire } from "../connection/wire.ts";

/** Whom a socket inside of this process tells what happens. */
export interface InnerEnd {
  /** It can be written to. */
  opened(wire: Wire): void;
  /** It can't be opened. */
  refused(): void;
  innerReceive(bytes: Buffer): void;
  /** It takes bytes again. */
  innerDrained(): void;
  /** The other side sends nothing more. */
  innerEnded(): void;
  innerClosed(): void;
}
