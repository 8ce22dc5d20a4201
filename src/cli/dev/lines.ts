/** What the faces for people print of each event. */
import type { Colors } from 'picocolors/types.js';
import { countOf, diagnosticLines } from './diagnostic-lines.ts';
import type { DevEvent, DevEventOf, Outcome } from './events.ts';
import { addonName, count, formatBytes, formatMs, pathFrom } from './format.ts';
import { outcomeTimes } from './outcome-times.ts';
import type { DevState } from './state.ts';
import { bannerOf } from './status.ts';
import { versionLines } from './version-lines.ts';

export interface LineStyle {
  readonly colors: Colors;
  readonly cwd: string;
  readonly columns: number;
  /** Rows that the messages of a build may take. */
  readonly rowsMax: number;
  readonly isVerbose: boolean;
  /** Whether there are keys to press. */
  readonly hasKeys: boolean;
  /** Whether the app is started again where that helps. */
  readonly restarts: boolean;
  /** Whether what is wrong is shown below the lines all the time. */
  readonly hasStatus: boolean;
}

export interface LineContext {
  /** After the event. */
  readonly state: DevState;
  /** Of the change, or of the key, that led to what happens now: what the build and its watch took. */
  readonly timings: ReadonlyMap<string, Readonly<Record<string, number>>>;
  readonly style: LineStyle;
  /** Whether a hazard was told of before, of the same version. */
  isNew(hazard: string): boolean;
}

/** Begins each line of its own, so that the app's lines are told apart. */
export const PREFIX = '[napi-reload]';

export function linesOf(event: DevEvent, context: LineContext): readonly string[] {
  const { style, state } = context;
  const { colors } = style;
  const say = (text: string): string => `${colors.dim(PREFIX)} ${text}`;
  const nameOf = (project: string): string => state.names.get(project) ?? project;
  switch (event.type) {
    case 'start':
      return startLines(event, style).map(say);
    case 'project':
      return [say(`the app has opened ${nameOf(event.id)}: built and watched from now on`)];
    case 'changed':
      return [say(`${changedFiles(event, style)} changed${state.isPaused ? ', paused' : ''}`)];
    case 'building':
      return [say(`building ${nameOf(event.project)}${event.clean ? ', all of it' : ''}`)];
    case 'progress':
      return style.isVerbose ? [say(colors.dim(`${counted(event)}${event.step}`))] : [];
    case 'built': {
      const how = event.skipped ? 'is up to date' : `built in ${formatMs(event.durationMs)}`;
      return [
        ...diagnosticLines(event.diagnostics, style),
        say(`${nameOf(event.project)} ${how}, ${countOf(event.diagnostics)}`),
      ];
    }
    case 'build-failed':
      return [
        ...failureLines(event, style),
        say(colors.red(`the build of ${nameOf(event.project)} failed, ${countOf(event.diagnostics)}`)),
      ];
    case 'app-started':
      return [say(`started ${event.command.join(' ')}${style.isVerbose ? `, process ${event.pid}` : ''}`)];
    case 'app-ended':
      return event.asked && !style.isVerbose ? [] : [say(endOf(event, colors))];
    case 'app-failed':
      return [say(colors.red(`the app could not be started: ${event.message}`))];
    case 'connected':
    case 'disconnected':
      return style.isVerbose ? [say(colors.dim(`${placeOf(event)} ${event.type}`))] : [];
    case 'opened': {
      const version = event.handle.serving === null ? '' : ` v${event.handle.serving}`;
      return style.isVerbose
        ? [say(colors.dim(`${placeOf(event)} opened ${addonName(event.handle.addon)}${version}`))]
        : [];
    }
    case 'addon':
      return addonLines(event, context).map(say);
    case 'reloading':
      return [];
    case 'waiting':
      return [say(colors.yellow(`${placeOf(event)} does not come to a turn of its event loop: waiting`))];
    case 'reloaded':
      return toldOf(event, style)
        .flatMap((outcome) => outcomeLines(outcome, event, context))
        .map(say);
    case 'restarting':
      return [say(`restarting the app: ${event.because}`)];
    case 'versions':
      return versionLines(event, colors).map(say);
    case 'paused':
      return [say(colors.magenta('paused: nothing is built until you go on'))];
    case 'resumed':
      return [say(colors.magenta('going on'))];
    case 'warning':
      return context.isNew(`${event.code} ${event.message}`) ? [say(colors.yellow(event.message))] : [];
    case 'idle':
      return idleLines(event, context).map(say);
    case 'ending':
    case 'end':
      return [];
  }
}

function startLines(
  { version, projects }: DevEventOf<'start'>,
  { cwd, hasKeys, colors }: LineStyle,
): readonly string[] {
  const lines = projects.map(({ root, builder, addons }) => {
    const names = addons.map(addonName).join(', ');
    return `${names} in ${root === cwd ? '.' : pathFrom(cwd, root)}, built by ${builder}`;
  });
  if (projects.length === 0)
    lines.push('no project found here: addons are built once the app has opened them; --addon names one');
  return [`napi-reload ${version}${hasKeys ? colors.dim(', h for help') : ''}`, ...lines];
}

function changedFiles({ files }: DevEventOf<'changed'>, { cwd }: LineStyle): string {
  const [first = '', ...others] = files;
  return `${pathFrom(cwd, first)}${others.length > 0 ? ` and ${count(others.length, 'other file')}` : ''}`;
}

function counted({ done, total }: DevEventOf<'progress'>): string {
  return done === null || total === null ? '' : `[${done}/${total}] `;
}

/** What could not be parsed into messages is shown as it was printed. */
function failureLines(event: DevEventOf<'build-failed'>, style: LineStyle): readonly string[] {
  const { diagnostics, output, message } = event;
  const lines = diagnosticLines(diagnostics, style);
  const raw = style.isVerbose || diagnostics.length === 0 ? output.split('\n').slice(-style.rowsMax) : [];
  const isSaid = diagnostics.length > 0;
  return [...raw.filter((line) => line !== ''), ...lines, ...(isSaid ? [] : [style.colors.red(message)])];
}

function endOf({ exitCode, signal, asked }: DevEventOf<'app-ended'>, colors: Colors): string {
  if (asked) return 'the app was ended';
  if (signal === null && exitCode === 0) return 'the app has ended';
  return colors.red(`the app crashed: ${signal === null ? `exit code ${exitCode}` : signal}`);
}

function placeOf({ pid, threadId }: { readonly pid: number; readonly threadId: number }): string {
  return `process ${pid}${threadId === 0 ? '' : `, thread ${threadId}`}`;
}

/** What a handle tells of; its part in a reload that was asked for here is told of as a whole. */
function addonLines(
  { addon, asked, event, ...place }: DevEventOf<'addon'>,
  context: LineContext,
): readonly string[] {
  const { colors, isVerbose } = context.style;
  const name = addonName(addon);
  switch (event.name) {
    case 'warning':
      return context.isNew(`${addon} ${context.state.serving.get(addon)} ${event.code} ${event.message}`)
        ? [colors.yellow(`${name}: ${event.message}`)]
        : [];
    case 'reloaded':
      return asked ? [] : [`${name} v${event.to} serves in ${placeOf(place)}: the app reloaded it`];
    case 'failed':
      return asked ? [] : [colors.red(`${name}: ${event.failure.message}`)];
    case 'crashed':
    case 'gave-up':
      return [colors.red(`${name} v${event.id}: ${event.message}`)];
    case 'restarted':
      return [`${name} v${event.id} runs again`];
    case 'kept':
      return [colors.yellow(`${name} v${event.id} stays in memory: ${event.reason}`)];
    case 'unloaded':
      return isVerbose ? [colors.dim(`${name} v${event.id} has left the memory`)] : [];
    case 'progress':
    case 'unchanged':
    case 'closed':
      return [];
  }
}

/** Where others of the project have new versions, those that have none are what one expects. */
function toldOf({ outcomes }: DevEventOf<'reloaded'>, { isVerbose }: LineStyle): readonly Outcome[] {
  const changed = outcomes.filter(({ outcome }) => outcome !== 'unchanged');
  return isVerbose || changed.length === 0 ? outcomes : changed;
}

function outcomeLines(
  outcome: Outcome,
  event: DevEventOf<'reloaded'>,
  context: LineContext,
): readonly string[] {
  const { colors, hasKeys, restarts } = context.style;
  const { addon, serving, from, restored, failure, restartBecause, stayed, kept } = outcome;
  const name = addonName(addon);
  const lines: string[] = [];
  if (failure !== null) {
    const { threads, failedThreads } = outcome;
    const where = threads > 1 ? ` (in ${failedThreads} of ${count(threads, 'thread')})` : '';
    lines.push(colors.red(`${name}: ${failure.message}${where}`));
  } else if (outcome.outcome === 'unchanged') {
    lines.push(`${name} is unchanged, v${serving} serves`);
  } else {
    const origin = restored === null ? '' : `, the bytes of v${restored} again`;
    const where =
      outcome.threads > 1
        ? ` in ${count(outcome.threads, 'thread')} of ${count(outcome.processes, 'process', 'processes')}`
        : '';
    const before = from === null ? '' : `, v${from} ${fateOf(outcome)}`;
    lines.push(colors.green(`${name} v${serving} serves${where}${origin}${before}`));
    lines.push(
      colors.dim(`  ${outcomeTimes(outcome, event, context.timings.get(event.project ?? '') ?? {})}`),
    );
  }
  if (outcome.state === 'discarded') lines.push(`  its state was discarded`);
  if (stayed > 0)
    lines.push(colors.yellow(`  ${count(stayed, 'instance')} of before run old code as long as they live`));
  if (restartBecause !== null && !(restarts && failure !== null)) {
    const how = hasKeys ? 'press u' : 'restart the app, or give --fallback restart';
    lines.push(colors.yellow(`  a restart of the app would help, as ${restartBecause}: ${how}`));
  }
  if (kept.count > 0) {
    const many = `${count(kept.count, 'replaced version')} in memory, ${formatBytes(kept.bytes)}`;
    lines.push(colors.dim(`  ${many}: ${kept.because.join('; ')}`));
  }
  return lines;
}

function fateOf({ retired }: Outcome): string {
  if (retired === null) return 'was replaced';
  return retired.outcome === 'unloaded' ? 'was unloaded' : `is ${retired.outcome}`;
}

/** The last line of a round, which editors look for. Without a status, what is wrong until it is mended comes before it. */
function idleLines({ app }: DevEventOf<'idle'>, { state, style }: LineContext): readonly string[] {
  const { colors, hasStatus } = style;
  const banners = [...state.failing].map(([subject, failing]) =>
    colors.red(bannerOf(state, subject, failing)),
  );
  const what = state.isPaused ? 'paused' : app === 'running' ? 'watching for changes' : 'waiting for changes';
  return [...(hasStatus ? [] : banners), colors.dim(what)];
}
