import { afterAll, describe, expect, inject, it } from 'vitest';
import { Client } from '../cluster/client.ts';
import { trained } from './kubelet.ts';
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
    await there.apply(experiment('first', { distillation: [], storage: s3 }));
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
    await there.apply(experiment('first', { distillation: [] }));
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
