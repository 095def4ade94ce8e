import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../../src/api/errors.ts";
import { readWords } from "../../../../src/cli/build/words.ts";

const read = (text: string) => readWords(text.split(" "), "x64");

describe("readWords()", () => {
  test.each([
    ["-o site", { app: null, outfile: "site", target: "linux-x64" }],
    ["app:fetch --outfile=site", { app: "app:fetch", outfile: "site", target: "linux-x64" }],
    ["-t bun-linux-arm64 -o site", { app: null, outfile: "site", target: "linux-arm64" }],
    ["-o site --help", null],
  ])("%s", (text, asked) => {
    expect(read(text)).toEqual(asked as never);
  });

  const refused: [text: string, why: RegExp][] = [
    ["app:fetch", /^-o is missing/],
    ["one two -o site", /^one APP_MODULE is taken, got: one two$/],
    ["-o site -t windows", /^--target: linux-x64 or linux-arm64, got windows$/],
    ["-o site --minify", /^Unknown option '--minify'$/],
    ["-o site --targt=linux-x64", /^Unknown option '--targt', did you mean --target\?$/],
    ["-o site -x", /^Unknown option '-x'$/],
    ["-o", /^Option '-o, --outfile <value>' argument missing$/],
  ];
  test.each(refused)("refuses %s", (text, why) => {
    expect(() => read(text)).toThrow(UsageError);
    expect(() => read(text)).toThrow(why);
  });
});
