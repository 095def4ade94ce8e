/**
 * Versions rolled out over hosts and containers behind HAProxy, under load. `bun run rollout [REQUESTS [KILLS]]` prints
 * a table: how many requests were answered at each, by which versions, and how many have failed. As root.
 */
import { type Outcome, counted } from "./load.ts";
import { TwoHosts } from "./hosts.ts";
import { Swarm } from "./swarm.ts";
import { Docker } from "../support/containers/docker.ts";

const requests = Number(process.argv[2] ?? 200_000);
const kills = Number(process.argv[3] ?? 10);

/** Failures that may be: of what died there, what isn't safe to ask again. Told all the same. */
let unexpected = 0;

function tell(outcome: Outcome, mayFail: boolean): void {
  const versions = [...outcome.versions].sort().map(([version, count]) => `${version}: ${count}`);
  const failed = (how: (failure: string) => boolean) => outcome.failures.filter(how).length;
  const posts = failed((failure) => failure.startsWith("post: "));
  const cells = [
    outcome.what,
    outcome.requests,
    versions.join(", "),
    outcome.last.join(", "),
    outcome.failures.length - posts,
    posts,
  ];
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
  if (!mayFail) unexpected += outcome.failures.length;
  for (const [failure, count] of counted(outcome.failures))
    process.stderr.write(`  ${count} x ${failure}\n`);
}

process.stdout.write(`| what | answers | of | in the end | lost: GET | lost: POST |\n`);
process.stdout.write(`| --- | --- | --- | --- | --- | --- |\n`);
{
  await using two = await TwoHosts.start();
  tell(await two.rollOut(requests), false);
  tell(await two.powerCut(requests / 10), true);
}
{
  const docker = await Docker.startOrTell();
  if (typeof docker === "string") throw new Error(docker);
  await using swarm = await Swarm.start(docker);
  tell(await swarm.rollOut(requests), false);
  tell(await swarm.rollBack(requests), false);
  tell(await swarm.kills(requests / 10, kills), true);
}
{
  await using two = await TwoHosts.start({ retries: 0 });
  tell(await two.rollOut(requests / 10), false);
}
{
  await using two = await TwoHosts.start({ retries: 0, drainDelay: 0 });
  tell(await two.rollOut(requests / 10), true);
}
process.exitCode = unexpected === 0 ? 0 : 1;
