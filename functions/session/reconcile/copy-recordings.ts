import { describeError, log } from "../../log.ts";
import { type CopyBucket, copyKey, storeCopy } from "../../recording-copy.ts";
import { openMedia } from "../../recording-media.ts";
import type { Project } from "../../tenants/tenant.ts";
import type { RecordingCopies, RecordingCopy } from "../store/recording-copies.ts";
import type { Recordings } from "../store/recordings.ts";

/** SignalWire's answer is waited for so long. */
const OPEN_MS = 15_000;
/** A copy that is under way is left alone so long by the next object, in case the object is lost. */
const LEASE_MS = 900_000;
/** A timer in memory comes this soon at most: one that is longer would keep the object awake, and the alarm comes as well. */
const TIMER_MS = 30_000;
/** The alarm behind the timer, in case the object is lost. */
const BACKSTOP_MS = 6_000;

interface CopierHost {
  bucket: CopyBucket;
  recordings: Pick<Recordings, "find">;
  recordingCopies: RecordingCopies;
  project(): Promise<Project>;
  /** Makes one request when there is a connection for it: none may wait for its turn with calls. */
  run<T>(tenant: string, request: () => Promise<T>): Promise<T>;
  now(): number;
}

/**
 * RecordingCopier — copies the sound of completed recordings into the Worker's bucket, and deletes the copies of those that are kept no
 * more, one at a time. Both are tried again, and nothing is lost with the object. Run by the scheduler, where a bucket is bound.
 */
export class RecordingCopier {
  readonly #host: CopierHost;
  #isRunning = false;

  constructor(host: CopierHost) {
    this.#host = host;
  }

  nextWakeAt(): number | null {
    const due_at = this.#isRunning ? null : this.#host.recordingCopies.nextDue();
    return due_at !== null && due_at <= this.#host.now() + TIMER_MS ? due_at : null;
  }

  nextAlarmAt(now: number): number | null {
    const due_at = this.#host.recordingCopies.nextDue();
    return due_at === null ? null : Math.max(now + BACKSTOP_MS, due_at);
  }

  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let row = this.#take(); row !== null; row = this.#take()) await this.#work(row);
    } finally {
      this.#isRunning = false;
    }
  }

  #take(): RecordingCopy | null {
    return this.#host.recordingCopies.takeDue(LEASE_MS);
  }

  async #work(row: RecordingCopy): Promise<void> {
    const { recordingCopies } = this.#host;
    const { tenant, recording } = row;
    try {
      const project = await this.#host.project();
      const key = copyKey(project.project_id, tenant, recording);
      if (row.state === "deleting") {
        await this.#host.run(tenant, () => this.#host.bucket.delete(key));
        recordingCopies.deleted(row);
      } else recordingCopies.made(row, await this.#copy(project, key, row));
    } catch (error) {
      const isTriedAgain = recordingCopies.failed(row);
      const event = row.state === "deleting" ? "recording.copy_not_deleted" : "recording.not_copied";
      log(isTriedAgain ? "info" : "error", event, { tenant, recording, error: describeError(error) });
    }
  }

  async #copy(project: Project, key: string, { tenant, recording }: RecordingCopy) {
    const { recordings, bucket } = this.#host;
    const run = <T>(request: () => Promise<T>) => this.#host.run(tenant, request);
    const known = recordings.find(tenant, recording);
    if (!known) throw new Error("the recording is kept no more");
    const media = await run(() => openMedia(project, known, null, AbortSignal.timeout(OPEN_MS)));
    if (!media.ok) throw new Error(media.status === null ? media.why : `SignalWire answered ${media.status}`);
    const { body, headers } = media;
    return await storeCopy(bucket, key, { body, type: headers.get("content-type") ?? "audio/x-wav" }, run);
  }
}
