import { Button } from '../../ui/Button'
import { Choice } from '../../ui/Choice'
import { Field } from '../../ui/Field'
import { t } from '../texts'
import { withFilter, type AuditSearch } from './search'

export interface Person {
  id: string
  email: string
}

interface Props {
  search: AuditSearch
  people: readonly Person[]
  onChange: (search: AuditSearch) => void
}

export function Filters({ search, people, onChange }: Props) {
  const set = (name: Parameters<typeof withFilter>[1]) => (e: { target: { value: string } }) => onChange(withFilter(search, name, e.target.value))
  const filtered = Object.keys(search).some((name) => name !== 'cursor')
  return (
    <div role="search" aria-label={t.audit.filter} className="grid grid-cols-2 gap-3 md:grid-cols-6 md:*:col-span-2">
      <Choice
        label={t.audit.kind}
        value={search.act ?? ''}
        onChange={set('act')}
        options={[['', t.audit.all], ...Object.entries(t.audit.kinds)]}
      />
      <Choice
        label={t.audit.who}
        value={search.user ?? ''}
        onChange={set('user')}
        options={[['', t.audit.everybody], ...people.map((p) => [p.id, p.email] as const)]}
      />
      <Choice
        label={t.audit.outcome}
        value={search.refused ?? ''}
        onChange={set('refused')}
        options={[['', t.audit.all], ['false', t.audit.done], ['true', t.audit.refused]]}
      />
      <Field label={t.audit.from} type="date" value={search.from ?? ''} max={search.to} onChange={set('from')} />
      <Field label={t.audit.to} type="date" value={search.to ?? ''} min={search.from} onChange={set('to')} />
      {filtered && (
        <div className="col-span-full">
          <Button onClick={() => onChange({})}>{t.audit.clear}</Button>
        </div>
      )}
    </div>
  )
}
