/** What update() wants said or run on account of an event, carried out. What takes time comes back as an event. */
import { messageOf } from "../../api/thrown.ts";
import { asError, type Log } from "../../log/error-log.ts";
import type { Event, Reaction } from "../decide/events.ts";
import type { Fleet } from "../decide/state.ts";
import { sendToWorker, signalWorker } from "./birth/spawn.ts";
import type { CertificateCare } from "./certificate-care.ts";
import type { Children } from "./children.ts";
import type { Companions } from "./companions.ts";
import type { Configurations } from "./configuration/configurations.ts";
import type { Identity } from "./master/identity.ts";
import type { MasterHooks } from "./master/master-hooks.ts";
import { upgrade, type UpgradeParts } from "./master/upgrade.ts";

/** What of the arbiter it needs. */
export interface ReactionParts extends UpgradeParts {
  readonly hooks: MasterHooks;
  readonly identity: Identity;
  readonly configurations: Configurations;
  readonly certificates: CertificateCare;
  readonly companions: Companions;
  readonly children: Children;
  /** Of the configuration in use. */
  log(): Log;
  handle(event: Event): void;
  /** Runs a hook, which may throw. */
  guard(hook: () => void): void;
}

/** @param fleet as it is behind the event */
export function react(reaction: Reaction, parts: ReactionParts, fleet: Fleet): void {
  try {
    carryOut(reaction, parts, fleet);
  } catch (error) {
    // A log that can't be opened anew, a pid file that can't be renamed: the server serves on.
    parts.log().error(`Can't ${reaction.do}: ${messageOf(asError(error))}`);
  }
}

function carryOut(reaction: Reaction, parts: ReactionParts, fleet: Fleet): void {
  const { hooks, configurations, certificates, companions, children } = parts;
  const { wanted, target, workers } = fleet;
  switch (reaction.do) {
    case "log":
      return parts.log()[reaction.level](reaction.message);
    case "load config":
      void configurations
        .prepare(reaction.generation, wanted.number)
        .then((event) => parts.handle(event));
      return;
    case "use":
      configurations.use(reaction.generation);
      companions.use(configurations.get(reaction.generation));
      return certificates.use(reaction.generation);
    case "discard":
      return configurations.discard();
    case "reopen logs":
      return configurations.reopenLogs();
    case "pass on USR1":
      for (const pid of reaction.pids) signalWorker(pid, "SIGUSR1");
      return;
    case "upgrade": {
      const asked = wanted.autoscale === null ? null : target;
      return parts.handle(upgrade(parts, asked, (event) => parts.handle(event)));
    }
    case "promote":
      hooks.promote();
      parts.identity.promote(parts.log());
      return configurations.promote(wanted.number);
    case "set log level":
      configurations.setLogLevel(reaction.level);
      for (const { age } of workers)
        sendToWorker(children.get(age)?.process, { type: "log level", level: reaction.level });
      return;
    case "dump":
      return sendToWorker(children.get(reaction.age)?.process, reaction.order);
    case "hook onReload":
      return parts.guard(() => hooks.onReload());
    case "hook nworkersChanged":
      return parts.guard(() => hooks.nworkersChanged(reaction.value, reaction.old));
    case "hook childExit": {
      const worker = children.describe(reaction.age);
      if (worker === null) return;
      const { resolved } = configurations.get(worker.generation);
      return parts.guard(() => hooks.childExit(worker, resolved.config));
    }
    default:
      return reaction satisfies never;
  }
}
