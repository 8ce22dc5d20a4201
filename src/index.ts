export { type Addon, open } from './addon.ts';
export type { BuildOutcome, BuildPhasesMs } from './build/builder.ts';
export type { BuildTool, CommandBuild, ToolBuild } from './build-options.ts';
export {
  type AddonConfig,
  type AddonEntry,
  type Config,
  type DevConfig,
  defineConfig,
} from './config/config.ts';
export { loadConfigSync } from './config/load.ts';
export { isIncluded, optionsFor } from './config/options-for.ts';
export type { ResolvedConfig, ResolvedEntry } from './config/resolve.ts';
export type { ResolvedDev } from './config/resolve-dev.ts';
export type { CheckCrash, CheckFailure, CheckProblem, CheckReport, CheckStep } from './check/report.ts';
export type { Diagnostic } from './diagnostic.ts';
export type { Diagnosis, Hazard, HazardCode, Reclaim, Severity } from './doctor/diagnosis.ts';
export { type ErrorCode, type ErrorDetails, isReloadError, ReloadError } from './errors.ts';
export type { AddonEvents, GroupEvents, GroupListener, HostCrash, Listener, Warning } from './events.ts';
export { type AddonGroup, type GroupMembers, openGroup } from './group.ts';
export type { GroupMemberOptions, MemberOptions } from './group-options.ts';
export type { FormerVersion } from './history.ts';
export { getAddon } from './handles.ts';
export { include, include_dir } from './headers.ts';
export type { CheckpointOptions, HostOptions, SuperviseOptions } from './host-options.ts';
export type { Remote, RemoteObject } from './isolate/remote.ts';
export type {
  HostedOpenOptions,
  IntegrityFunction,
  MigrateStep,
  MigrateSteps,
  OpenOptions,
  Progress,
  WatchOptions,
} from './options.ts';
export type { NativePin as Pin } from './native.ts';
export type { ReloadOptions, RollbackOptions } from './reload-options.ts';
export type {
  Ending,
  GroupReport,
  Phase,
  PhasesMs,
  Recommendation,
  ReloadedReport,
  ReloadReport,
  Retirement,
  UnchangedReport,
} from './report.ts';
export type { HookContext, Reason } from './state/hooks.ts';
export type { AskForMemory, MemoryInfo, MemoryOptions } from './state/memory.ts';
export type { TraceContext } from './tracing.ts';
export type { LibraryInfo, VersionInfo } from './version.ts';
