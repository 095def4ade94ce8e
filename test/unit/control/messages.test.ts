import { describe, expect, test } from "bun:test";
import { CommandError } from "../../../src/control/commands.ts";
import { failure, ok, readAnswer, readRequest } from "../../../src/control/messages.ts";

describe("readRequest()", () => {
  const rows: [claim: string, message: unknown, request: object][] = [
    [
      "splits the command, and appends the arguments, as Gunicorn's client sends them",
      { id: 1, command: "worker add", args: [2] },
      { id: 1, words: ["worker", "add", "2"] },
    ],
    ["needs no id and no arguments", { command: " reload " }, { id: 0, words: ["reload"] }],
    ["keeps any id", { id: [null], command: "help" }, { id: [null], words: ["help"] }],
  ];
  test.each(rows)("%s", (_claim, message, request) => {
    expect(readRequest(message) as object).toEqual(request);
  });

  const refused: [message: unknown, why: string][] = [
    ["reload", "a request is an object with command and args"],
    [null, "a request is an object with command and args"],
    [["reload"], "a request is an object with command and args"],
    [{ args: [] }, "command must be text"],
    [{ command: 7 }, "command must be text"],
    [{ command: "scale", args: "3" }, "args must be a list"],
    [{ command: "scale", args: [{}] }, "args must be texts and numbers"],
  ];
  test.each(refused)("refuses %j", (message, why) => {
    expect(() => readRequest(message)).toThrow(new CommandError(why));
  });
});

describe("readAnswer()", () => {
  const rows: [message: unknown, understood: boolean][] = [
    [ok(1, {}), true],
    [failure(1, "no"), true],
    [{ ...ok(1, {}), version: 2 }, false],
    [{ id: 1, status: "ok", data: {} }, false],
    [{ ...ok(1, {}), data: null }, false],
    [{ ...failure(1, "no"), error: 7 }, false],
    [null, false],
    ["ok", false],
  ];
  test.each(rows)("%j", (message, understood) => {
    expect(readAnswer(message) !== null).toBe(understood);
  });
});
