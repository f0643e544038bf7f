import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { FormError } from '../../account/FormError'
import type { Schemas } from '../../api/client'
import { projectsQuery } from '../../api/session'
import { Button, IconButton } from '../../ui/Button'
import { Card } from '../../ui/Card'
import { Field } from '../../ui/Field'
import { Icon } from '../../ui/Icon'
import { Switch } from '../../ui/Switch'
import { changeProject } from '../api'
import { Send } from '../Buttons'
import { t } from '../texts'
import { useProject } from '../useProject'
import { faultsOfRules } from './rules'

type Rule = Schemas['URLRule'] & { key: number }

const MOST = 100

/** Which paths are one page. The first rule that matches counts. */
export function UrlRulesCard() {
  const { id, url_rules: set } = useProject()
  const queries = useQueryClient()
  const [slash, setSlash] = useState(set.strip_slash ?? false)
  const [lower, setLower] = useState(set.lower_case ?? false)
  const [rules, setRules] = useState(() => (set.rules ?? []).map((rule, key): Rule => ({ from: rule.from, to: rule.to, key })))
  const save = useMutation({
    mutationFn: () =>
      changeProject(id, { url_rules: { strip_slash: slash, lower_case: lower, rules: rules.map(({ from, to }) => ({ from: from.trim(), to: to.trim() })) } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: projectsQuery.queryKey }),
  })
  const said = faultsOfRules(save.error)
  const change = (key: number, part: Partial<Schemas['URLRule']>) => setRules(rules.map((r) => (r.key === key ? { ...r, ...part } : r)))
  return (
    <Card title={t.urls.title}>
      <form
        noValidate
        onSubmit={(e) => {
          e.preventDefault()
          save.mutate()
        }}
        className="grid gap-4"
      >
        <p className="max-w-2xl text-sm text-muted">{t.urls.text}</p>
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          <Switch label={t.urls.slash} checked={slash} onChange={setSlash} />
          <Switch label={t.urls.lower} checked={lower} onChange={setLower} />
        </div>
        {rules.length > 0 && (
          <ol aria-label={t.urls.rules} className="grid gap-3">
            {rules.map((rule, i) => (
              <li key={rule.key} className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 border-t border-line pt-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto] sm:border-0 sm:pt-0">
                <Field
                  label={t.urls.from(i + 1)}
                  placeholder="/product/*"
                  spellCheck={false}
                  maxLength={512}
                  value={rule.from}
                  onChange={(e) => change(rule.key, { from: e.target.value })}
                  error={said.at[i]?.from}
                />
                <IconButton icon="close" label={t.urls.remove(i + 1)} className="mt-7 sm:order-last" onClick={() => setRules(rules.filter((r) => r !== rule))} />
                <Field
                  label={t.urls.to(i + 1)}
                  placeholder="/product/:id"
                  spellCheck={false}
                  maxLength={255}
                  value={rule.to}
                  onChange={(e) => change(rule.key, { to: e.target.value })}
                  error={said.at[i]?.to}
                />
              </li>
            ))}
          </ol>
        )}
        <div>
          <Button disabled={rules.length >= MOST} onClick={() => setRules([...rules, { from: '', to: '', key: Math.max(-1, ...rules.map((r) => r.key)) + 1 }])}>
            <Icon name="plus" />
            {t.urls.add}
          </Button>
        </div>
        <FormError error={said.rest} />
        <Send pending={save.isPending} done={save.isSuccess} />
      </form>
    </Card>
  )
}
