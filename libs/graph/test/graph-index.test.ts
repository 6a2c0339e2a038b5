import test from 'ava';
import { GraphIndex, int64Tensor, node, type GraphParts } from '@epd/graph';

const floats = (name: string, ...values: number[]) => ({
  name,
  dataType: 1,
  dims: values.length === 1 ? [] : [values.length],
  rawData: new Uint8Array(Float32Array.from(values).buffer),
});

function graph(): GraphParts {
  const constant = node('Constant', [], ['two']);
  constant.attribute = [{ name: 'value', type: 4, t: floats('', 2) }];
  return {
    node: [
      constant,
      node('Mul', ['x', 'two'], ['doubled']),
      node('Mul', ['half', 'doubled'], ['same']),
      node('Add', ['doubled', 'same'], ['y']),
    ],
    initializer: [
      floats('half', 0.5),
      floats('pair', 1, 2),
      int64Tensor('shape', [0, -1, 64], [3]),
    ],
    input: [{ name: 'x' }],
    output: [{ name: 'y' }],
    valueInfo: [],
  };
}

test('a value is followed to what makes it and to its only reader', (t) => {
  const index = new GraphIndex(graph());
  t.is(index.producer('y')?.opType, 'Add');
  t.is(index.producer('x'), undefined);
  t.is(index.reader('same')?.opType, 'Add');
  t.is(index.reader('doubled'), undefined, 'two nodes read it');
});

test('constants are read wherever the export keeps them', (t) => {
  const index = new GraphIndex(graph());
  t.is(index.scalar('two'), 2);
  t.is(index.scalar('half'), 0.5);
  t.is(index.scalar('pair'), undefined, 'it is no single number');
  t.is(index.scalar('x'), undefined, 'it is no constant');
  t.deepEqual(index.integers('shape'), [0, -1, 64]);
});

test('of a product with a known constant the other factor is found on either side', (t) => {
  const index = new GraphIndex(graph());
  t.is(index.besides(index.producer('doubled')!, 2), 'x');
  t.is(index.besides(index.producer('same')!, 0.5), 'doubled');
  t.is(index.besides(index.producer('same')!, 0.25), undefined);
});
