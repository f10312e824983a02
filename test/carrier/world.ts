import { Project } from "./project.ts";
import type { ProjectSettings } from "./settings.ts";

/** Every project of this process; they share nothing but the port. */
export class World {
  readonly projects = new Map<string, Project>();
  /** Until then (ms, wall clock) no RELAY connection is taken. */
  #out_until = 0;

  /** Null where there is a project with this id already. */
  create(settings: ProjectSettings): Project | null {
    if (settings.project_id !== undefined && this.projects.has(settings.project_id)) return null;
    const project = new Project(settings);
    this.projects.set(project.project_id, project);
    return project;
  }

  remove(project_id: string): boolean {
    this.projects.get(project_id)?.close();
    return this.projects.delete(project_id);
  }

  get listening(): boolean {
    return Date.now() >= this.#out_until;
  }

  setOutage(ms: number): void {
    this.#out_until = Date.now() + ms;
  }

  close(): void {
    for (const project_id of [...this.projects.keys()]) this.remove(project_id);
  }
}
