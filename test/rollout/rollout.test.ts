/** The short form of `bun run rollout`: what examples/deploy/rollout has, with few requests and deaths. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Docker } from "../support/containers/docker.ts";
import { isRoot, needsRoot } from "../support/needs.ts";
import { describeWith, toolPath } from "../support/peers.ts";
import { TwoHosts } from "./hosts.ts";
import { counted, type Outcome } from "./load.ts";
import { Swarm } from "./swarm.ts";

setDefaultTimeout(600_000);

const requests = 2000;

/** What is answered once more by another one is no loss; what isn't safe to ask again may be one. */
const gets = ({ failures }: Outcome) => failures.filter((failure) => !failure.startsWith("post: "));

describeWith(["haproxy", "ip"], `two hosts${needsRoot}`, () => {
  test.skipIf(!isRoot)(
    "a version is rolled out by USR2, and by stop and start, without a loss; then one host dies",
    async () => {
      await using two = await TwoHosts.start();
      const rolled = await two.rollOut(requests);
      expect(counted(rolled.failures)).toEqual(new Map());
      expect([...rolled.versions.keys()].sort()).toEqual(["version 1", "version 2"]);
      expect(rolled.last).toEqual(["version 2"]);

      const cut = await two.powerCut(requests);
      expect(counted(gets(cut))).toEqual(new Map());
      expect(cut.last).toEqual(["version 2"]);
    },
  );
});

const missing = toolPath("haproxy") === null ? "not installed here: haproxy" : null;
const started = missing ?? (await Docker.startOrTell());
const why = typeof started === "string" ? ` (${started})` : "";

describe.skipIf(typeof started === "string")(`a swarm${why}`, () => {
  let swarm: Swarm;
  beforeAll(async () => {
    swarm = await Swarm.start(started as Docker);
  });
  afterAll(() => swarm[Symbol.asyncDispose]());

  test("a version is rolled out without a loss", async () => {
    const rolled = await swarm.rollOut(requests);
    expect(counted(rolled.failures)).toEqual(new Map());
    expect([...rolled.versions.keys()].sort()).toEqual(["version 1", "version 2"]);
    expect(rolled.last).toEqual(["version 2"]);
  });

  test("a version that never gets ready serves nobody, and is rolled back without a loss", async () => {
    const rolled = await swarm.rollBack(requests);
    expect(counted(rolled.failures)).toEqual(new Map());
    expect([...rolled.versions.keys()]).toEqual(["version 2"]);
  });

  test("a container that is killed is replaced; what can be asked again is", async () => {
    const killed = await swarm.kills(requests, 2);
    expect(counted(gets(killed))).toEqual(new Map());
    expect(killed.last).toEqual(["version 2"]);
  });
});
