import { afterAll, describe, expect, inject, it, type TestContext } from 'vitest';
import type { Experiment, Run } from '../../operator/controllers/kinds.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { playKubelet, trained } from './kubelet.ts';
import { experiment, Lab } from './operator-fixtures.ts';
import { conditionsOf, openLab, restrictedNamespace, type TestLab } from './operator-lab.ts';

const client = new Client(inject('controlPlane'));
afterAll(() => client.close());

const named =
  (name: string) =>
  ({ metadata }: { metadata: { name: string } }) =>
    metadata.name.startsWith(name);
const s3 = { s3: { bucket: 'networks', secretName: 's3-keys' } };

/** What the trainer of the Run of that arm was told. */
async function assignment(here: TestLab, experimentName: string) {
  const pods = await here.pods();
  const [trainer] = pods.find(named(`${experimentName}-distilled`))!.spec!.containers;
  const text = trainer!.env!.find(({ name }) => name === 'DESTILL_ASSIGNMENT')!.value!;
  return { ...JSON.parse(text), mounts: trainer!.volumeMounts!.map(({ mountPath }) => mountPath) };
}

function waits(here: TestLab, name: string, reason: string, message: string) {
  return here.until(
    name,
    `to wait: ${reason}`,
    (it) => conditionsOf(it).TeacherReady === `False ${reason}: ${message}`,
  );
}

describe('a teacher in a file', () => {
  it('is learnt from at once, and its volume mounted', async (context) => {
    const here = await openLab(context, client);
    const file = { claimName: 'networks', path: 'big.onnx' };
    const onnx = { persistentVolumeClaim: file, features: ['layer1', 'layer2'] };
    here.play({ result: () => trained({ testAccuracy: 0.9 }) });
    await here.apply(experiment('given', { teacher: { from: { onnx } } }));
    const done = await here.ended('given');
    expect(conditionsOf(done).TeacherReady).toBe(
      'True TeacherGiven: The file big.onnx on PersistentVolumeClaim networks is the teacher.',
    );
    expect(done.status).toMatchObject({ phase: 'Complete', runs: { Succeeded: 2 } });
    expect(done.status).not.toHaveProperty('teacherAccuracy');
    const told = await assignment(here, 'given');
    expect(told).toMatchObject({
      parameters: { teacherOnnx: onnx },
      mounts: expect.arrayContaining(['/artifacts', '/data-source/networks']),
    });
    expect(told).not.toHaveProperty('teacherArtifacts');
    expect(told.parameters).not.toHaveProperty('teacherRun');
  });
});

describe.concurrent('a teacher of another Experiment', () => {
  it('is waited for until it is there and trained, and then learnt from', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('later', { teacher: { from: { experiment: 'first' } } }));
    const missing = await waits(
      here,
      'later',
      'TeacherNotFound',
      `spec.teacher.from: there is no Experiment ${here.namespace}/first. Create it, or make an Experiment with another teacher.`,
    );
    // Its baseline needs no teacher.
    expect(missing.status?.runs).toEqual({ Waiting: 1 });
    const [baseline] = await here.runs();
    const place = { namespace: here.namespace, name: baseline!.metadata.name };
    const pod = await here.kubelet.bind(await here.kubelet.podOf(place), 'gpu-1');
    await here.kubelet.succeed(await here.kubelet.run(pod));
    const idle = await here.until(
      'later',
      'to have nothing to do',
      ({ status }) => status?.runs?.Succeeded === 1,
    );
    expect(idle.status?.phase).not.toBe('Complete');
    expect(conditionsOf(idle).Progressing).toMatch(/^False TeacherNotFound: /);

    const claim = { persistentVolumeClaim: { claimName: 'teachers' } };
    await here.apply(
      experiment('first', { students: [{ name: 'other', model: 'resnet8' }], storage: claim }),
    );
    const teacher = await here.run('teacher');
    await waits(
      here,
      'later',
      'TeacherUnfinished',
      `spec.teacher.from: Run ${here.namespace}/${teacher.metadata.name} has not been trained to the end: Waiting.`,
    );
    here.play({ result: () => trained({ testAccuracy: 0.9 }) });
    const done = await here.ended('later');
    expect(conditionsOf(done).TeacherReady).toBe(
      `True TeacherFound: Run ${teacher.metadata.name} is the teacher.`,
    );
    expect(done.status).toMatchObject({ runs: { Succeeded: 2 }, teacherAccuracy: { mean: 0.9 } });
    expect(await assignment(here, 'later')).toMatchObject({
      teacherArtifacts: `/teacher/${here.namespace}/first/${teacher.metadata.name}`,
      parameters: { teacherRun: teacher.metadata.name },
      mounts: expect.arrayContaining(['/artifacts', '/teacher']),
    });
    await here.ended('first');
  });

  it('in another namespace is learnt from by way of S3', async (context) => {
    const other = await restrictedNamespace(client, 'teachers');
    const there = new Lab(client, other);
    const here = await openLab(context, client, { others: [other] });
    here.play({}, [other]);
    await there.apply(experiment('first', { distillation: [], storage: s3, sharedWith: [here.namespace] }));
    await there.until('first', 'to be Complete', ({ status }) => status?.phase === 'Complete');
    const teacher = (await there.run('teacher')).metadata.name;

    const from = { experiment: 'first', namespace: other };
    await here.apply(experiment('later', { teacher: { from } }));
    await here.ended('later');
    expect((await here.run('soft')).spec.parameters).toMatchObject({
      teacherRun: teacher,
      teacherNamespace: other,
    });
    expect(await assignment(here, 'later')).toMatchObject({
      teacherArtifacts: `s3://networks/${other}/first/${teacher}`,
    });
  });

  it('on a volume of another namespace is said to be out of reach', async (context) => {
    const other = await restrictedNamespace(client, 'teachers');
    const there = new Lab(client, other);
    const here = await openLab(context, client, { others: [other] });
    here.play({}, [other]);
    await there.apply(experiment('first', { distillation: [], sharedWith: ['*'] }));
    await there.until('first', 'to be Complete', ({ status }) => status?.phase === 'Complete');

    await here.apply(experiment('later', { teacher: { from: { experiment: 'first', namespace: other } } }));
    const { status, metadata } = await here.phase('soft', 'Queued', 'TeacherMissing');
    const teacher = `${other}/${(await there.run('teacher')).metadata.name}`;
    const message = `Run ${here.namespace}/${metadata.name}: its teacher, Run ${teacher}, is on the volume of PersistentVolumeClaim ${other}/experiments, and pods cannot mount volumes of another namespace. Use a teacher of namespace ${here.namespace}, or one whose Experiment has spec.storage.s3.`;
    expect(status?.message).toBe(message);
    await here.until(
      'later',
      'to say so',
      (it) => conditionsOf(it).Progressing === `False TeacherMissing: Run ${metadata.name}: ${message}`,
    );
  });

  it('that failed is waited for, until it is trained again', async (context) => {
    const here = await openLab(context, client);
    let isBroken = true;
    here.play({
      result: ({ labels }) =>
        isBroken && labels['destillml.io/role'] === 'teacher' ? { exitCode: 70 } : trained(),
    });
    await here.apply(experiment('first', { distillation: [] }));
    await here.ended('first');
    const { metadata } = await here.run('teacher');
    await here.apply(experiment('later', { teacher: { from: { run: metadata.name } } }));
    await here.until('later', 'to know that it failed', (it) =>
      /^False TeacherFailed: spec\.teacher\.from: Run \S+ ended Failed: .* Delete it to have it trained again\.$/.test(
        conditionsOf(it).TeacherReady ?? '',
      ),
    );
    isBroken = false;
    await here.delete('runs', metadata.name);
    const done = await here.ended('later');
    expect(done.status?.runs).toEqual({ Succeeded: 2 });
  });
});

/** Two namespaces, and one operator for both: Experiments of one ask for the teacher of `first` in the other. */
async function strangers(context: TestContext) {
  const other = await restrictedNamespace(client, 'teachers');
  const there = new Lab(client, other);
  const here = await openLab(context, client, { others: [other] });
  const from = { experiment: 'first', namespace: other };
  const nothing = (what: string) =>
    `spec.teacher.from: there is no ${what.replace(' ', ` ${other}/`)} that is shared with namespace ${here.namespace}. If it is there, its owner can add ${here.namespace} to spec.sharedWith of the Experiment; or make an Experiment with another teacher.`;
  const share = (...sharedWith: readonly string[]) => there.change('experiments', 'first', { sharedWith });
  return { here, there, other, from, nothing, share };
}

const complete = ({ status }: Experiment) => status?.phase === 'Complete';

/** Text of a status, without times and with one name for the other. */
const text = (status: unknown, name = '', instead = '') =>
  JSON.stringify(status)
    .replaceAll(/"\d{4}-\d\d-\d\dT[^"]*Z"/g, '"then"')
    .replaceAll(name, instead);

describe.concurrent('a teacher of another namespace that its owner does not share', () => {
  it('looks as if there were none, whatever becomes of it, until it is shared', async (context) => {
    const { here, there, other, from, nothing, share } = await strangers(context);
    let isBroken = true;
    here.play({ result: () => (isBroken ? { exitCode: 70 } : trained({ testAccuracy: 0.9 })) }, [other]);
    // Suspended, so that nothing but the teacher can change what they say.
    const ask = (name: string, teacher: object) =>
      here.apply(experiment(name, { suspend: true, teacher: { from: { ...teacher, namespace: other } } }));
    await ask('asking', from);
    const before = await waits(here, 'asking', 'TeacherNotFound', nothing('Experiment first'));
    await ask('in-vain', { experiment: 'nosuch' });
    const { status } = await waits(here, 'in-vain', 'TeacherNotFound', nothing('Experiment nosuch'));
    expect(text(status, 'nosuch', 'first')).toBe(text(before.status));

    await there.apply(experiment('first', { distillation: [], storage: s3 }));
    await there.until('first', 'to be Failed', (it) => it.status?.phase === 'Failed');
    const { name: run } = (await there.run('teacher')).metadata;
    await ask('for-a-run', { run });
    const forRun = await waits(here, 'for-a-run', 'TeacherNotFound', nothing(`Run ${run}`));
    isBroken = false;
    for (const { metadata } of await there.runs())
      await client.send('DELETE', there.path('runs', metadata.name));
    await there.until('first', 'to be Complete', complete);
    await share('elsewhere');
    const isSeen = ({ metadata, status: seen }: Experiment) =>
      seen?.observedGeneration === metadata.generation;
    await there.until('first', 'to be looked at', isSeen);
    // Nothing has been written, not even what was there already.
    expect(await here.experiment('asking')).toEqual(before);
    expect(await here.experiment('for-a-run')).toEqual(forRun);

    const both = ['asking', 'for-a-run'] as const;
    await share(here.namespace);
    for (const name of both) {
      const found = `True TeacherFound: Run ${run} is the teacher.`;
      await here.until(name, 'to have it', (it) => conditionsOf(it).TeacherReady === found);
    }
    await share();
    await waits(here, 'asking', 'TeacherNotFound', nothing('Experiment first'));
    await waits(here, 'for-a-run', 'TeacherNotFound', nothing(`Run ${run}`));

    await share('*');
    await here.change('experiments', 'asking', { suspend: false });
    const done = await here.ended('asking');
    expect(done.status).toMatchObject({ runs: { Succeeded: 2 }, teacherAccuracy: { mean: 0.9 } });
    await client.send('DELETE', there.path('experiments', 'first'));
    await waits(here, 'for-a-run', 'TeacherNotFound', nothing(`Run ${run}`));
  });

  it('is in no Job, also where somebody makes a Run by hand, until it is shared', async (context) => {
    const { here, there, other, share } = await strangers(context);
    here.play({}, [other]);
    await there.apply(experiment('first', { distillation: [], storage: s3 }));
    await there.until('first', 'to be Complete', complete);
    const teacher = (await there.run('teacher')).metadata.name;
    await here.apply(experiment('own', { distillation: [] }));
    const { parameters } = (await here.run('baseline')).spec;
    await here.ended('own');
    const byHand = async (name: string, teacherRun: string) => {
      const taught = { role: 'distilled', arm: 'mine', objective: { softTargets: {} } };
      await client.send('POST', here.path('runs'), {
        apiVersion: 'destillml.io/v1alpha1',
        kind: 'Run',
        metadata: { name },
        spec: {
          experiment: 'own',
          suspend: false,
          parameters: { ...parameters, ...taught, teacherRun, teacherNamespace: other },
        },
      });
      const message = `Run ${here.namespace}/${name}: its teacher, Run ${other}/${teacherRun}, belongs to no Experiment that is shared with namespace ${here.namespace} by its spec.sharedWith.`;
      return await until(name, (run) => run.status?.message === message);
    };
    const until = (name: string, holds: (run: Run) => boolean) =>
      waitFor(`Run ${name}`, async () => {
        const run = await client.send<Run>('GET', here.path('runs', name));
        return holds(run) ? run : undefined;
      });
    const refused = await byHand('by-hand', teacher);
    expect(refused.status).toMatchObject({ phase: 'Queued', reason: 'TeacherMissing' });
    const inVain = await byHand('in-vain', 'first-nosuch');
    expect(text(inVain.status, 'in-vain', 'by-hand').replaceAll('first-nosuch', teacher)).toBe(
      text(refused.status),
    );

    await share(here.namespace);
    await until('by-hand', (run) => run.status?.phase === 'Succeeded');
    const shared = `s3://networks/${other}/first/${teacher}`;
    expect(JSON.stringify((await here.job('by-hand')).spec)).toContain(shared);
    await share();
    await here.delete('runs', 'by-hand');
    await waitFor(
      'the Run to be gone',
      async () => (await here.runs()).every(({ metadata }) => metadata.name !== 'by-hand') || undefined,
    );
    await byHand('by-hand', teacher);
  });

  it('is learnt from to the end by whoever had begun', async (context) => {
    const { here, there, other, from, nothing, share } = await strangers(context);
    const ending = new AbortController();
    const playing = playKubelet(client, { namespaces: [other], signal: ending.signal });
    await there.apply(experiment('first', { distillation: [], storage: s3, sharedWith: ['*'] }));
    await there.until('first', 'to be Complete', complete);
    ending.abort();
    await playing.ended;

    await here.apply(experiment('later', { teacher: { from } }));
    const pod = await here.train('soft');
    await share();
    await waits(here, 'later', 'TeacherNotFound', nothing('Experiment first'));
    await here.kubelet.succeed(pod);
    await here.kubelet.succeed(await here.train('baseline'));
    const done = await here.ended('later');
    expect(done.status?.runs).toEqual({ Succeeded: 2 });
  });
});
