import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { printConfig } from "../../../src/cli/print-config.ts";
import { gunicornName, settingEntries } from "../../../src/config/settings.ts";
import { resolveConfig } from "../../../src/config/sources/resolve.ts";

const { config } = await resolveConfig({
  argv: ["hello:fetch", "--chdir", "/tmp", "-e", "A=1"],
  env: {},
  cwd: join(import.meta.dir, "../../fixtures/config/default-export"),
  generation: 1,
  platform: "linux",
  cpuCount: () => 7,
});
const lines = printConfig(config).split("\n");

describe("printConfig()", () => {
  test("has a line for each setting, by name", () => {
    const names = lines.slice(0, -1).map((line) => line.split(" ")[0] as string);
    expect(names).toEqual(settingEntries.map(([key]) => gunicornName(key)).toSorted());
  });

  test("pads names to the longest", () => {
    for (const line of lines.slice(0, -1)) {
      expect(line.indexOf(" = ")).toBe("permit_unconventional_http_version".length);
    }
  });

  test.each([
    ["workers", "3"],
    ["bind", '["127.0.0.1:9001","127.0.0.1:9002"]'],
    ["chdir", "/tmp"],
    ["raw_env", '["A=1"]'],
    ["worker_class", "async"],
    ["accesslog", "null"],
    ["daemon", "false"],
    ["control_socket_mode", "0600"],
    ["default_proc_name", "hello:fetch"],
    ["when_ready", "<whenReady()>"],
    ["pre_request", "<preRequest()>"],
    ["on_exit", "null"],
  ])("prints %s as %s", (name, value) => {
    const line = lines.find((line) => line.startsWith(`${name} `));
    expect(line?.split(" = ")[1]).toBe(value);
  });
});
