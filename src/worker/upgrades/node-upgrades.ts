/** Upgrades of a node:http server, by its own listeners. */
import type { Fetch } from "../../api/serving.ts";
import type { NodeUpgrades } from "../../app/node/upgrades.ts";
import { asksForUpgrade } from "../../http/request/handshake.ts";
import type { Leaving, Upgrades } from "../exchange/upgrades.ts";
import type { Tunnels } from "./tunnels.ts";

export class ListenerUpgrades implements Upgrades {
  readonly #tunnels: Tunnels;
  readonly #node: NodeUpgrades;

  constructor(tunnels: Tunnels, node: NodeUpgrades) {
    this.#tunnels = tunnels;
    this.#node = node;
  }

  /** The listeners judge. */
  refusalOf(): null {
    return null;
  }

  handlerOf(exchange: Leaving): Fetch | undefined {
    const { head, client, scheme, body } = exchange;
    // With a body it is a request like others: the engine has begun to read that.
    if (body !== null || !asksForUpgrade(head) || !this.#node.isWanted()) return undefined;
    return () => {
      this.#tunnels.lead(exchange, () => {
        const { address } = client;
        const admitted = this.#node.admit(head, { address, encrypted: scheme === "https", client });
        return {
          first: admitted.head,
          begin: (tunnel) => this.#tunnels.open(this.#node.path, tunnel),
          answered: admitted.over,
          lost: admitted.over,
        };
      });
      return new Response(null, { status: 101 });
    };
  }
}
