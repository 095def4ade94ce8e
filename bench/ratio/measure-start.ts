/** Time from the spawning of the program to its first answer. */
import { ownCheckout } from "../servers/gunicorn-ts.ts";
import { Package } from "../servers/package.ts";
import { spreadOf } from "../statistics.ts";
import type { Figure } from "./figure.ts";
import { programOf, type Side, startSide } from "./sides.ts";

/** Starts per turn: the median of them is the turn's figure. */
const starts = 5;

export async function measureStart(side: Side): Promise<Figure> {
  const times: number[] = [];
  while (times.length < starts) {
    const from = performance.now();
    await using server = startSide(side, "hello");
    await server.answered();
    times.push(performance.now() - from);
  }
  return {
    value: spreadOf(times).median,
    requestsPerSecond: null,
    errors: 0,
    driverBusy: null,
  };
}

/** Of what a user installs, in place of a checkout's sources. */
export async function measurePackageStart(side: Side): Promise<Figure> {
  if (side === "bare") return measureStart(side);
  using bundled = new Package(programOf(side).checkout ?? ownCheckout);
  return await measureStart({ checkout: bundled.folder });
}
