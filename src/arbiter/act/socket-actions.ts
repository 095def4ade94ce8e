/** What plan() asks of the listening sockets, carried out. */
import { equalShares } from "../../listen/group.ts";
import type { Listeners } from "../../listen/listeners.ts";
import type { Done, SocketAction } from "../decide/events.ts";

/**
 * @param shared another master uses the sockets too
 * @param freesAccepted the worker class knows what connections inherit of a socket that refuses new ones
 * @throws whatever the system refuses of what is needed; a help that it refuses is in the answer
 */
export function performOnSockets(
  action: SocketAction,
  listeners: Listeners,
  { shared, freesAccepted }: { readonly shared: boolean; readonly freesAccepted: boolean },
): Done {
  const left = shared || !freesAccepted;
  switch (action.do) {
    case "open slot":
      listeners.addSlot();
      return { type: "slot opened" };
    case "close slot":
      return { type: "slot closed", refused: listeners.removeTopSlot() };
    case "steer": {
      const { count } = action;
      const refused = listeners.steer(equalShares(count));
      // Where no slot is left out, none closes.
      const handshakes = count < listeners.slots && listeners.hasHandshakes();
      return { type: "steered", count, refused, handshakes };
    }
    case "refuse new connections":
      return {
        type: "refusing",
        refused: listeners.refuseNew(left),
        handshakes: listeners.hasHandshakes(),
      };
    case "refuse at unused listeners":
      return {
        type: "refusing unused",
        refused: listeners.refuseUnused(left),
        handshakes: listeners.hasHandshakes(),
      };
    case "close unused listeners":
      return { type: "unused closed", refused: listeners.closeUnused(shared) };
    case "close listeners":
      return { type: "listeners closed", refused: listeners.close(shared) };
    default:
      return action satisfies never;
  }
}
