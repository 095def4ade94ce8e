/** A profile of the CPU in V8's format, which Chrome's developer tools open (`.cpuprofile`). */
import type { Session } from "node:inspector";

/** V8's own interval, in microseconds. */
const intervalUs = 1000;

/** Samples this process for so many seconds, while it serves. Answers a sentence where that can't be. */
export async function takeProfile(seconds: number): Promise<Uint8Array | string> {
  const inspector = await import("node:inspector");
  const session = new inspector.Session();
  session.connect();
  try {
    return await sample(session, seconds);
  } finally {
    session.disconnect();
  }
}

async function sample(session: Session, seconds: number): Promise<Uint8Array | string> {
  const post = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      session.post(method, params, (error: Error | null, result: unknown) =>
        error === null || error === undefined ? resolve(result) : reject(error),
      );
    });
  await post("Profiler.enable");
  await post("Profiler.setSamplingInterval", { interval: intervalUs });
  await post("Profiler.start");
  await Bun.sleep(seconds * 1000);
  const { profile } = (await post("Profiler.stop")) as { readonly profile?: object };
  if (profile === undefined) return `Bun ${Bun.version} has no profiles`;
  return Buffer.from(JSON.stringify(profile));
}
