import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "../../../../src/config/sources/resolve.ts";
import { checkLogs, readLogSettings } from "../../../../src/log/check.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-logconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ini = (more: string) => `[loggers]
keys=root, error
[handlers]
keys=file
[logger_root]
handlers=
[logger_error]
handlers=file
[handler_file]
class=FileHandler
${more}
`;
const json = (handler: object) =>
  JSON.stringify({
    version: 1,
    handlers: { file: handler },
    loggers: { error: { handlers: ["file"] } },
  });

const files: Readonly<Record<string, string>> = {
  "bom.ini": `\ufeff${ini("args=('a.log',)")}`,
  "bom.json": `\ufeff${json({ class: "FileHandler", filename: "a.log" })}`,
  "lost.ini": ini("args=('none/a.log',)"),
  "lost.json": json({ class: "FileHandler", filename: "none/a.log" }),
  "empty.json": json({ class: "FileHandler", filename: "" }),
  "dict.ts": `export const logconfigDict = ${json({ class: "FileHandler", filename: "none/a.log" })};`,
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

async function check(...argv: readonly string[]): Promise<void> {
  const inputs = {
    argv,
    env: {},
    cwd: folder,
    generation: 1,
    platform: "linux",
    cpuCount: () => 1,
  } as const;
  await checkLogs(await readLogSettings((await resolveConfig(inputs)).config, ""));
}

test.each([
  ["--log-config", "bom.ini"],
  ["--log-config-json", "bom.json"],
] as const)("a byte order mark is skipped: %s %s", async (flag, file) => {
  expect(await check(flag, file)).toBeUndefined();
});

const refused: [argv: readonly string[], message: string][] = [
  [["--log-config", "lost.ini"], "logconfig: lost.ini: handlers.file: '"],
  [["--log-config", "lost.json"], "logconfig: lost.json: handlers.file: '"],
  [["--log-config-json", "lost.json"], "logconfig_json: lost.json: handlers.file: '"],
  [["--log-config-json", "lost.json", "-c", "dict.ts"], "logconfig_dict: handlers.file: '"],
  [
    ["--log-config-json", "empty.json"],
    "logconfig_json: empty.json: handlers.file.filename: must not be empty",
  ],
  [["--log-config", ""], "logconfig: must name a file, got ''"],
  [["--log-config-json", ""], "logconfig_json: must name a file, got ''"],
];

test.each(refused)("%j is refused with its place", async (argv, message) => {
  await expect(check(...argv)).rejects.toThrow(message);
});
