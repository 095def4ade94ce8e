/**
 * A process without garbage collection (the caller sets BUN_JSC_useGC=0): what its memory grows by is what was
 * allocated. Prints the bytes per request of each row as JSON. JavaScriptCore has no counter of allocations to ask
 * instead.
 */
import { anonymousBytesOf } from "../process-tree.ts";
import { medianOf } from "../statistics.ts";
import { engineRows, type EngineRow } from "./rows.ts";

const rounds = 5;
const warmUpRuns = 5000;

function bytesOf({ run, count }: EngineRow, runs: number): number {
  for (let each = 0; each < warmUpRuns; each++) run();
  const values = Array.from({ length: rounds }, () => {
    const before = anonymousBytesOf(process.pid);
    for (let each = 0; each < runs; each++) run();
    return (anonymousBytesOf(process.pid) - before) / runs / count;
  });
  return medianOf(values);
}

const runs = Number(process.argv[2]);
console.log(JSON.stringify(engineRows().map((row) => bytesOf(row, runs))));
