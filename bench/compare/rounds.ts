/** All servers of a load run at once, and are driven in turns: one turn each makes a round. */
import type { Driver } from "../drivers/driver.ts";
import { BenchError } from "../errors.ts";
import type { Load } from "../loads/load.ts";
import { type Measured, measureTurn, warmUpBefore } from "../measure.ts";
import type { Facilities } from "../servers/facilities.ts";
import { freePort } from "../free-port.ts";
import { BenchServer } from "../servers/server.ts";
import type { Peer } from "./peer.ts";

export interface Competitor {
  readonly name: string;
  readonly version: string;
  /** One for each round. */
  readonly turns: Measured[];
}

/** A server that isn't in the table, and why. */
export interface Absence {
  readonly name: string;
  readonly why: string;
}

export interface Contest {
  readonly load: Load;
  readonly competitors: Competitor[];
  readonly absent: Absence[];
}

export interface RoundsParts {
  readonly driver: Driver;
  readonly peers: readonly Peer[];
  readonly workers: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly facilities: Facilities;
  readonly onTurn: (what: string) => void;
}

interface Entry {
  readonly server: BenchServer;
  readonly competitor: Competitor;
}

/** Adds to `contest` as turns end, so that an interruption keeps them. */
export async function runRounds(parts: RoundsParts, contest: Contest): Promise<void> {
  const { driver, rounds, seconds, onTurn } = parts;
  const { load, competitors, absent } = contest;
  await using servers = new AsyncDisposableStack();
  let entries: readonly Entry[] = [];
  const leaveOut = ({ server, competitor: { name } }: Entry, error: unknown) => {
    if (!(error instanceof BenchError)) throw error;
    absent.push({
      name,
      why: `fails under load: ${error.message.split("\n")[0]?.replace(/:$/, "")}`,
    });
    entries = entries.filter((entry) => entry.server !== server);
    const at = competitors.findIndex((competitor) => competitor.name === name);
    if (at !== -1) competitors.splice(at, 1);
  };
  for (const peer of parts.peers) {
    onTurn(`${load.name}: starting ${peer.name}`);
    const server = await startPeer(peer, parts, contest);
    if (server === null) continue;
    servers.use(server);
    const competitor = { name: peer.name, version: peer.version() ?? "", turns: [] };
    const entry = { server, competitor };
    try {
      await warmUpBefore(driver, server, load.traffic, seconds);
    } catch (error) {
      leaveOut(entry, error);
      continue;
    }
    competitors.push(competitor);
    entries = [...entries, entry];
  }
  for (let round = 0; round < rounds; round++) {
    // There and back: nobody always comes behind the same neighbour.
    for (const entry of round % 2 === 0 ? entries : entries.toReversed()) {
      const { server, competitor } = entry;
      onTurn(`${load.name}: round ${round + 1} of ${rounds}, ${competitor.name}`);
      try {
        competitor.turns.push(await measureTurn(driver, server, load.traffic, seconds));
      } catch (error) {
        leaveOut(entry, error);
      }
    }
  }
}

/** null when it isn't installed, can't do this, or doesn't start: it is listed as absent then. */
async function startPeer(
  peer: Peer,
  { workers, facilities }: RoundsParts,
  { load, absent }: Contest,
): Promise<BenchServer | null> {
  const { name } = peer;
  if (peer.version() === null) {
    absent.push({ name, why: `not installed (${peer.install})` });
    return null;
  }
  const port = freePort();
  const command = peer.command({ app: load.app, port, workers, feature: load.feature, facilities });
  if ("cannot" in command) {
    absent.push({ name, why: command.cannot });
    return null;
  }
  const server = new BenchServer({ ...command, port });
  try {
    await server.answered(load.traffic.paths[0]);
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    if (!(error instanceof BenchError)) throw error;
    absent.push({ name, why: `doesn't start: ${error.message}` });
    return null;
  }
}
