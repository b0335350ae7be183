// The map as tables: for readers of screens, for narrow ones, and for comparing.
import type { ComponentChildren } from 'preact';
import type { Health, ServiceMap } from '../api/overview.ts';
import { count, percent } from '../format/number.ts';
import { type RateUnit, rateNumber } from '../format/rate.ts';
import { Link } from '../parts/Link.tsx';
import { requestsQuery } from '../query/services.ts';
import { addTerm } from '../query/write.ts';
import { ServiceName, tracesOf } from './Panel.tsx';
import type { Choice } from './Picture.tsx';
import { BAD, callQuery, timeOf } from './words.ts';

interface Props {
  map: ServiceMap;
  unit: RateUnit;
  choose: (choice: Choice) => void;
  find: string;
  stale: boolean;
}

export function Tables({ map, unit, choose, find, stale }: Props) {
  const wanted = find.trim().toLowerCase();
  const shows = (...names: string[]) => names.some((name) => name.toLowerCase().includes(wanted));
  const kinds = new Map(map.nodes.map((node) => [node.service, node.kind]));
  const worst = (a: Health, b: Health) => (b.error_ratio ?? 0) - (a.error_ratio ?? 0) || b.requests - a.requests;
  return (
    <div class={`maptables scroll ${stale ? 'stale' : ''}`}>
      <NumbersTable title="Services" first="Service">
        {map.nodes
          .filter((node) => shows(node.service))
          .sort(worst)
          .map((node) => {
            const query = requestsQuery(node.service, node.kind);
            return (
              <NumbersRow key={node.service} of={node} unit={unit} all={query} bad={addTerm(query, 'status=error')}>
                <button type="button" class="plain" onClick={() => choose({ node: node.service })}>
                  <ServiceName name={node.service} own={node.kind === 'service'} />
                </button>
              </NumbersRow>
            );
          })}
      </NumbersTable>
      <NumbersTable title="Calls" first="From and to">
        {map.edges
          .filter((edge) => shows(edge.from, edge.to))
          .sort(worst)
          .map((edge) => {
            const own = kinds.get(edge.to) === 'service';
            return (
              <NumbersRow
                key={`${edge.from}>${edge.to}`}
                of={edge}
                unit={unit}
                all={callQuery(edge, own)}
                bad={callQuery(edge, own, 'status=error')}
              >
                <button type="button" class="plain ends" onClick={() => choose({ from: edge.from, to: edge.to })}>
                  <ServiceName name={edge.from} own />
                  <span class="d3">to</span>
                  <ServiceName name={edge.to} own={own} />
                </button>
              </NumbersRow>
            );
          })}
      </NumbersTable>
    </div>
  );
}

function NumbersTable({ title, first, children }: { title: string; first: string; children: ComponentChildren }) {
  return (
    <section aria-label={`All ${title.toLowerCase()}`}>
      <div class="sec">
        <h2>{title}</h2>
        <span class="grow">worst first</span>
      </div>
      <table class="mapt">
        <thead>
          <tr class="th">
            <th scope="col">{first}</th>
            <th scope="col" class="r">
              Rate
            </th>
            <th scope="col" class="r">
              Errors
            </th>
            <th scope="col" class="r opt">
              p50
            </th>
            <th scope="col" class="r">
              p95
            </th>
            <th scope="col" class="r opt">
              Requests
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

interface RowProps {
  of: Health;
  unit: RateUnit;
  /** Queries for all of them, and for those that failed. */
  all: string;
  bad: string;
  children: ComponentChildren;
}

function NumbersRow({ of, unit, all, bad, children }: RowProps) {
  return (
    <tr>
      <th scope="row">{children}</th>
      <td class="r">
        <Link class="plain" href={tracesOf(all)}>
          {rateNumber(of.rate ?? 0, unit)}
          <span class="d3 u">{unit.label}</span>
        </Link>
      </td>
      <td class="r">
        <Link class={`plain ${(of.error_ratio ?? 0) >= BAD ? 'err' : ''}`} href={tracesOf(bad)}>
          {percent(of.error_ratio ?? 0)}
        </Link>
      </td>
      <td class="r opt">{timeOf(of.p50)}</td>
      <td class="r">{timeOf(of.p95)}</td>
      <td class="r opt">{count(of.requests)}</td>
    </tr>
  );
}
