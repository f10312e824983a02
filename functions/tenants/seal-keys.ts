import { deriveKeys, type SealKeys } from "../../shared/seal-keys.ts";
import type { Project } from "./tenant.ts";

/** Derived once for each reading of a project's record. */
const derived = new WeakMap<Project, SealKeys>();

/** The keys of what calls of the project carry for us. */
export async function sealKeysOf(credentials_key: string | undefined, project: Project): Promise<SealKeys> {
  let keys = derived.get(project);
  if (!keys) {
    keys = await deriveKeys({
      ...(credentials_key === undefined ? {} : { credentials_key }),
      signing_keys: project.signing_keys,
    });
    derived.set(project, keys);
  }
  return keys;
}
