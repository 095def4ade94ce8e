/** `bun run bench compare`: gunicorn-ts beside other servers, with the same app under the same load, in turns. */
import { docsFlag, readDocsPage } from "../docs-page.ts";
import { driverFlag, selectDriver } from "../drivers/drivers.ts";
import type { Load } from "../loads/load.ts";
import { comparedLoads, loadFlag, loads } from "../loads/loads.ts";
import { readMachine, showMachine } from "../machine.ts";
import { findMarkers, writeBetweenMarkers } from "../markers.ts";
import { readOptions, type Subcommand, workersFlag, workersOf } from "../options.ts";
import { Progress } from "../progress.ts";
import { commandLine, outFlag, ownVersion, record, resultPath } from "../results.ts";
import { Facilities } from "../servers/facilities.ts";
import { javascriptPeers } from "./javascript-peers.ts";
import { otherPeers } from "./other-peers.ts";
import type { Peer } from "./peer.ts";
import { completeRounds, renderContest, seriesOf } from "./report.ts";
import { type Contest, runRounds } from "./rounds.ts";

const peers: readonly Peer[] = [...javascriptPeers, ...otherPeers];

/** Seconds for the start and the warm-up of a server. */
const startSeconds = 4;

export const compare: Subcommand = {
  name: "compare",
  description: "gunicorn-ts beside other servers, in turns under the same load",
  flags: {
    driver: driverFlag,
    load: loadFlag,
    peer: {
      type: "string",
      multiple: true,
      valueHint: "NAME",
      description: `Only this server, repeatable: ${peers.map(({ name }) => name).join("; ")}`,
    },
    workers: { ...workersFlag, description: "Processes (one for each CPU)" },
    rounds: { type: "string", valueHint: "N", description: "Turns of each server", default: "5" },
    seconds: { type: "string", valueHint: "S", description: "Length of a turn", default: "1" },
    "write-docs": {
      type: "boolean",
      description: "Put the tables between the markers of docs/benchmarks.md",
    },
    docs: docsFlag,
    smoke: { type: "boolean", description: "One short round of one load: shows that it works" },
    out: outFlag,
  },
  async run(words) {
    const options = readOptions(compare, words);
    const smoke = options.on("smoke");
    const page = readDocsPage(options);
    // Before minutes are spent.
    if (page !== null) findMarkers(page, compare.name);
    const driver = selectDriver(options.text("driver") ?? "");
    const versions = { ...ownVersion, [driver.name]: driver.detect() };
    const usual = loads.filter(({ name }) => comparedLoads.has(name));
    const chosen = options.select("load", loads) ?? (smoke ? usual.slice(0, 1) : usual);
    const contests: Contest[] = [];
    const complete = () => contests.map(completeRounds);
    const command = commandLine(compare.name, words);
    const settings = {
      driver,
      peers: options.select("peer", peers) ?? peers,
      workers: workersOf(options),
      rounds: smoke ? 1 : options.integer("rounds"),
      seconds: smoke ? 0.3 : options.number("seconds"),
    };
    const conditions = `${settings.workers} processes, ${settings.rounds} rounds of ${settings.seconds} s, ${driver.name}`;
    await record(
      {
        kind: compare.name,
        path: resultPath(compare.name, options),
        command,
        findings: () => ({ versions, series: complete().flatMap(seriesOf), details: complete() }),
        show(partial) {
          const all = complete().filter((each) => each.competitors.length + each.absent.length > 0);
          if (all.length === 0) return;
          const text = renderAll(all, command, conditions);
          console.log(text);
          const measured = all.some(({ competitors }) => competitors.length > 0);
          if (page !== null && !partial && measured) writeBetweenMarkers(page, compare.name, text);
        },
      },
      () => contend(chosen, settings, contests),
    );
  },
};

async function contend(
  chosen: readonly Load[],
  settings: Omit<Parameters<typeof runRounds>[0], "facilities" | "onTurn">,
  contests: Contest[],
): Promise<void> {
  const { driver, peers: all, rounds, seconds } = settings;
  const present = all.filter((peer) => peer.version() !== null).length;
  const progress = new Progress(
    chosen.length * present * (startSeconds + rounds * (seconds + 0.1)),
  );
  for (const load of chosen) {
    const refusal = driver.refuses(load.traffic);
    if (refusal !== null) {
      console.log(`${load.name}: ${refusal}.\n`);
      continue;
    }
    const contest: Contest = { load, competitors: [], absent: [] };
    contests.push(contest);
    await using facilities = await Facilities.open();
    const onTurn = (what: string) => progress.show(what);
    await runRounds({ ...settings, facilities, onTurn }, contest);
  }
  progress.end();
}

function renderAll(contests: readonly Contest[], command: string, conditions: string): string {
  const facts = `${new Date().toISOString().slice(0, 10)}; ${showMachine(readMachine())}; ${conditions}.`;
  const how =
    "Medians; requests beside those of the first server, round by round (lowest .. highest); CPU time and memory are those of the whole process tree.";
  return ["```sh", command, "```", "", facts, how, "", ...contests.map(renderContest)].join("\n");
}
