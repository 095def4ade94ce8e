/** What users of other servers type, and what says the same here. */
import { settingOf } from "../settings.ts";
import { suggestSetting } from "./suggest.ts";

const bind = "use --bind HOST:PORT (-b :8000)";
const runtime = "it is Bun's own and stands before the program: bun --bun";

/**
 * Hints by flag, without its value: flags of uvicorn, hypercorn, granian, puma, pm2, and Bun's own; what only has
 * another spelling here is found by suggestSetting().
 */
export const foreignFlags: Readonly<Record<string, string>> = {
  "--port": bind,
  "-P": bind,
  "--host": bind,
  "--hostname": bind,
  "--listen": bind,
  "--address": bind,
  "--uds": "use --bind unix:PATH",
  "--socket": "use --bind unix:PATH",
  "--fd": "use --bind fd://N",
  "-i": "use --workers N, or --workers auto",
  "--instances": "use --workers N, or --workers auto",
  "--processes": "use --workers N, or --workers auto",
  "--cluster": "use --workers N, or --workers auto",
  "--factory": "name the call, MODULE:create()",
  "--interface": "an app is a fetch function, or an object that has fetch",
  "--app-dir": "use --chdir",
  "--working-dir": "use --chdir",
  "--cwd": "use --chdir",
  "--directory": "use --chdir",
  "--proxy-headers": "use --forwarded-allow-ips",
  "--limit-concurrency": "use --worker-connections, a bound for each worker",
  "--limit-max-requests": "use --max-requests",
  "--limit-max-requests-jitter": "use --max-requests-jitter",
  "--timeout-keep-alive": "use --keep-alive",
  "--timeout-graceful-shutdown": "use --graceful-timeout",
  "--timeout-worker-healthcheck": "use --timeout",
  "--workers-lifetime": "use --max-lifetime",
  "--workers-max-rss": "use --max-memory",
  "--workers-kill-timeout": "use --graceful-timeout",
  "--max-memory-restart": "use --max-memory",
  "--respawn-failed-workers": "a worker that dies is always replaced",
  "--no-access-log": "leave out --access-logfile",
  "--access-log": "use --access-logfile -",
  "--watch": "use --reload",
  "--hot": "use --reload",
  "--reload-dir": "use --reload-extra-file",
  "--reload-include": "use --reload-extra-file",
  "--env-file": "export its variables, or use --env NAME=VALUE",
  "--environment": "use --env NODE_ENV=NAME",
  "--ssl-certfile": "use --certfile",
  "--ssl-keyfile": "use --keyfile",
  "--ssl-certificate": "use --certfile",
  "--ssl-ca-certs": "use --ca-certs",
  "--ssl-cert-reqs": "use --cert-reqs",
  "--ssl-ciphers": "use --ciphers",
  "--ssl-keyfile-password": "use --keyfile-password-file, everybody sees the command line",
  "-d": "use --daemon (-D)",
  "--daemonize": "use --daemon (-D)",
  "-C": "use --config (-c)",
  "--smol": runtime,
  "--inspect": runtime,
  "--bun": runtime,
};

/** What the words that no flag reads may mean, each hint once: `--port: use --bind ...`; "" for nothing. */
export function explainFlags(words: readonly string[]): string {
  const hints = words.flatMap((word) => {
    const [flag = ""] = word.split("=", 1);
    const hint = hintAt(flag);
    return hint === null ? [] : [`${flag}: ${hint}`];
  });
  return [...new Set(hints)].join("; ");
}

/** Other programs' commands, where this one has none. */
const commands = new Set(["run", "start", "serve", "dev"]);

/** What words beside the app may mean, each hint once; "" for nothing. */
export function explainWords(words: readonly string[]): string {
  const hints = words.flatMap((word) => {
    if (commands.has(word)) return [`${word} is no command here, leave it out`];
    if (/^\d{1,5}$/.test(word)) return [`a port is --bind :${word}`];
    return /:\d{1,5}$/.test(word) ? [`an address is --bind ${word}`] : [];
  });
  return [...new Set(hints)].join("; ");
}

/** What a value of -p that is a port says: the flag is the pid file's here, and the port's elsewhere. */
export function explainPidFile(word: string): string | null {
  if (!/^\d{1,5}$/.test(word)) return null;
  return `is the pid file's name, for a port use --bind :${word}, for a file ./${word}`;
}

function hintAt(flag: string): string | null {
  if (Object.hasOwn(foreignFlags, flag)) return foreignFlags[flag] ?? null;
  // The opposite is no near miss.
  if (!flag.startsWith("--") || flag.startsWith("--no-")) return null;
  const key = suggestSetting(flag);
  const long = key === null ? undefined : settingOf(key).flags?.[0]?.long;
  return long === undefined ? null : `did you mean ${long}?`;
}
