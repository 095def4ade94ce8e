/**
 * What is kept of a connection that waits for its next request: a tenth of a Connection's memory, of which servers have thousands
 * (bench: idle-memory). Whatever happens but the passing of time makes it a new Connection, which sees to it. What might
 * still refer to the former one finds that one gone, and so writes nothing.
 */
import type { Site } from "../exchange/site.ts";
import type { Foregoing } from "./client.ts";
import type { Member } from "./connections.ts";
import type { Engine } from "./http1.ts";
import type { Wire, WireOwner } from "./wire.ts";

/** Makes the Connection that goes on, which has so many ticks until keepalive expires. */
export type Resume = (
  wire: Wire,
  site: Site,
  engine: Engine,
  foregoing: Foregoing,
  ticks: number,
) => Member & WireOwner;

export class IdleConnection implements Member, WireOwner {
  readonly #wire: Wire;
  readonly #site: Site;
  readonly #engine: Engine;
  readonly #foregoing: Foregoing;
  readonly #resume: Resume;
  /** Until keepalive expires; 0: it doesn't. */
  #ticks: number;

  constructor(
    wire: Wire,
    site: Site,
    engine: Engine,
    foregoing: Foregoing,
    ticks: number,
    resume: Resume,
  ) {
    this.#resume = resume;
    this.#wire = wire;
    this.#site = site;
    this.#engine = engine;
    this.#foregoing = foregoing;
    // The clock's step in which this happens is taken once more.
    this.#ticks = ticks === 0 ? 0 : ticks + 1;
  }

  receive(bytes: Buffer): void {
    this.#replaced().receive(bytes);
  }

  drained(): void {
    this.#replaced().drained();
  }

  clientEnded(): void {
    this.#replaced().clientEnded();
  }

  /** Nobody waits for it. */
  closed(): void {}

  tick(): void {
    if (this.#ticks === 0 || --this.#ticks > 0) return;
    // Its successor takes this step, too, which is its last.
    this.#ticks = 1;
    this.#replaced();
  }

  drain(): void {
    this.#replaced().drain();
  }

  #replaced(): Member & WireOwner {
    const wire = this.#wire;
    const engine = this.#engine;
    const next = this.#resume(wire, this.#site, engine, this.#foregoing, this.#ticks);
    wire.data = next;
    engine.connections.swap(this, next);
    return next;
  }
}
