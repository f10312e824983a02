import { Attacker } from "./attacker.ts";
import { changes, describeChange, stateOf } from "./effects.ts";
import { setUpEnvironment, tenantNames } from "./environment.ts";
import { type Input, isAuthentic, requestOf } from "./inputs.ts";
import { type Fault, logFaults } from "./judge.ts";

/** Sends an input once, shows what went there and back and what was logged, and says what is wrong. */
export async function replay(text: string): Promise<Fault[]> {
  const input = JSON.parse(text) as Input; // As a fault was told with.
  const environment = await setUpEnvironment();
  const attacker = new Attacker(environment);
  try {
    const before = await stateOf(environment, tenantNames, true);
    const logged_before = environment.log.length;
    const { method, path, headers, body } = requestOf(environment, input);
    const { answer, found } = await attacker.send(input);
    await attacker.logIsWritten();
    const lines = environment.log.slice(logged_before);
    console.log(
      JSON.stringify({ method, path, headers, body: body.toString("utf8").slice(0, 2_000) }, null, 2),
    );
    console.log(JSON.stringify(answer, null, 2));
    for (const line of lines) console.log(line);
    const faults: Fault[] = [...found, ...lines.flatMap((line) => logFaults(line, environment.canaries))];
    const changed = changes(before, await stateOf(environment, tenantNames, true));
    if (changed.length > 0 && !isAuthentic(input, environment.tenants)) {
      faults.push({ kind: "effect", what: changed.map(describeChange).join("\n") });
    }
    return faults;
  } finally {
    attacker.close();
    await environment.close();
  }
}
