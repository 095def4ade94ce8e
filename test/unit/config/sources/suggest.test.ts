import { describe, expect, test } from "bun:test";
import { suggestSetting } from "../../../../src/config/sources/suggest.ts";

describe("suggestSetting()", () => {
  test.each([
    ["worker_class", "workerClass"],
    ["WorkerClass", "workerClass"],
    ["worker-class", "workerClass"],
    ["worker", "workers"],
    ["keepAlive", "keepalive"],
    ["logLevel", "loglevel"],
    ["limitRequestFieldsize", "limitRequestFieldSize"],
    ["logFile", "errorlog"],
    ["env", "rawEnv"],
    ["onReloaded", "onReload"],
    ["banana", null],
    ["x", null],
    ["", null],
  ])("answers to %p with %p", (name, key) => {
    expect(suggestSetting(name)).toBe(key as never);
  });
});
