import { ConfigError } from "../../api/errors.ts";
import { integer, quote } from "../values/kinds.ts";
import { bindList } from "../values/network-kinds.ts";
import { setting } from "../setting.ts";

export const serverSocket = {
  bind: setting({
    flags: [{ long: "--bind", short: "-b" }],
    metavar: "ADDRESS",
    kind: bindList,
    default: ["127.0.0.1:8000"],
    env: {
      variable: "PORT",
      read(text) {
        if (/^\d+$/.test(text) && Number(text) < 65_536) return [`0.0.0.0:${text}`];
        throw new ConfigError(`must be a port number from 0 to 65535, got ${quote(text)}`);
      },
    },
    status: "works",
    description: `An address to listen on; repeat for more
HOST, HOST:PORT, [V6]:PORT, unix:PATH or fd://N, an inherited listening socket (N from 3 on). https://HOST:PORT is TLS, and http://HOST:PORT is not;
certfile says what the others are. A relative PATH starts at chdir. unix:@NAME is
an abstract socket of Linux: it has no file, no owner and no mode, so that every process of the network namespace may connect. Sockets that systemd passes take the place of all others. The environment variable PORT makes the default 0.0.0.0:$PORT.`,
  }),
  backlog: setting({
    flags: [{ long: "--backlog" }],
    kind: integer({ max: 2_147_483_647 }),
    default: 2048,
    status: "works",
    description: `How many connections may wait to be accepted
Given to listen(2), which caps it at net.core.somaxconn. Each slot has a queue of its own with reuse_port.`,
  }),
};
