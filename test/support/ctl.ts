/** `gunicorn-ts ctl` for a test, in a server's folder. */
import { commandOf, type RunningServer } from "./server.ts";

export interface CtlResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Place = Pick<RunningServer, "folder">;

/** @param through a command that runs it, `setpriv ...` */
export async function ctl(
  { folder }: Place,
  words: string,
  { through = [] as readonly string[], env = {} as Readonly<Record<string, string>> } = {},
): Promise<CtlResult> {
  const program = commandOf();
  const child = Bun.spawn([...through, ...program.words, "ctl", ...words.split(" ")], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

/** The data of a command that succeeds. */
export async function ctlData(place: Place, words: string): Promise<Record<string, unknown>> {
  const { code, out, err } = await ctl(place, `${words} --json`);
  if (code !== 0) throw new Error(`ctl ${words}: ${code}: ${err}`);
  return JSON.parse(out) as Record<string, unknown>;
}
