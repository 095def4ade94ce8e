import { describe, expect, test } from "bun:test";
import {
  CommandError,
  commandEntries,
  readCommand,
  usageOf,
} from "../../../src/control/commands.ts";

const read = (text: string) => readCommand(text.split(" ").filter((word) => word !== ""));

describe("readCommand()", () => {
  const rows: [text: string, command: object][] = [
    ["show stats", { do: "show", what: "stats" }],
    ["SHOW Workers", { do: "show", what: "workers" }],
    ["reload", { do: "reload" }],
    ["worker add", { do: "worker add", count: 1 }],
    ["worker add 3", { do: "worker add", count: 3 }],
    ["worker remove 2", { do: "worker remove", count: 2 }],
    ["worker kill 123", { do: "worker kill", pid: 123 }],
    ["worker restart 123", { do: "worker restart", pid: 123 }],
    ["scale 4", { do: "scale", workers: 4 }],
    ["shutdown", { do: "shutdown", how: "graceful" }],
    ["shutdown quick", { do: "shutdown", how: "quick" }],
    ["log-level DEBUG", { do: "log-level", level: "debug" }],
    ["help", { do: "help" }],
  ];
  test.each(rows)("%s", (text, command) => {
    expect(read(text) as object).toEqual(command);
  });

  const refused: [text: string, why: string][] = [
    ["", "Empty command"],
    ["foo", "Unknown command: foo"],
    ["toString", "Unknown command: tostring"],
    ["show", "Missing word behind show (stats|workers|requests|load|listeners|config)"],
    ["show foo", "Unknown word behind show: foo (stats|workers|requests|load|listeners|config)"],
    ["worker", "Missing word behind worker (add|remove|kill|restart)"],
    ["reload now", "reload: takes nothing, got 'now'"],
    ["show stats all", "show stats: takes nothing, got 'all'"],
    ["worker add 0", "N must be a whole number from 1 on, got '0'"],
    ["worker add -1", "N must be a whole number from 1 on, got '-1'"],
    ["worker add 1.5", "N must be a whole number from 1 on, got '1.5'"],
    ["worker add 1 2", "worker add: takes one word, got '2' too"],
    ["worker kill", "worker kill: PID is missing"],
    ["worker kill x", "PID must be a whole number from 1 on, got 'x'"],
    ["scale", "scale: N is missing"],
    ["scale 0", "N must be a whole number from 1 on, got '0'"],
    ["shutdown soon", "shutdown: must be graceful or quick, got 'soon'"],
    ["log-level loud", "LEVEL must be one of critical, error, warning, info, debug, got 'loud'"],
  ];
  test.each(refused)("refuses '%s'", (text, why) => {
    expect(() => read(text)).toThrow(new CommandError(why));
  });

  test("reads each command that takes nothing, by its name", () => {
    for (const [name, { takes }] of commandEntries)
      if (!/^[A-Z]/.test(takes)) expect(() => read(name)).not.toThrow();
    expect(usageOf("worker add")).toBe("worker add [N]");
    expect(usageOf("reload")).toBe("reload");
  });
});
