import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { Choice } from '../../ui/Choice'
import { TextArea } from '../../ui/TextArea'
import { changeProject } from '../api'
import { Send } from '../Buttons'
import { linesOf } from '../lines'
import { t } from '../texts'
import { useProject } from '../useProject'
import { useSend } from '../useSend'

const fates = ['keep', 'drop'] as const

/** What happens to the events of bots, and what a bot is. */
export function BotsCard() {
  const { id, ...set } = useProject()
  const [fate, setFate] = useState(set.bot_events)
  const send = useSend({
    fields: ['bot_agents', 'not_bot_agents'],
    send: (f) =>
      changeProject(id, { bot_events: fate, bot_agents: linesOf(f.bot_agents, '\n'), not_bot_agents: linesOf(f.not_bot_agents, '\n') }),
    keys: [projectsQuery.queryKey],
  })
  return (
    <Card title={t.filters.bots}>
      <form onSubmit={send.submit} noValidate className="grid gap-4">
        <div className="max-w-sm">
          <Choice
            label={t.filters.fate}
            value={fate}
            onChange={(e) => setFate(fates.find((f) => f === e.target.value)!)}
            options={fates.map((f) => [f, t.filters.fates[f]])}
            hint={t.filters.fateHints[fate]}
          />
        </div>
        <div className="grid gap-4 sm:grid-cols-2">
          <TextArea
            label={t.filters.agents}
            name="bot_agents"
            spellCheck={false}
            defaultValue={set.bot_agents.join('\n')}
            placeholder="ShopWarmer"
            hint={t.filters.agentsHint}
            error={send.faults.bot_agents}
          />
          <TextArea
            label={t.filters.notAgents}
            name="not_bot_agents"
            spellCheck={false}
            defaultValue={set.not_bot_agents.join('\n')}
            placeholder="Acme-Uptime"
            hint={t.filters.notAgentsHint}
            error={send.faults.not_bot_agents}
          />
        </div>
        <FormError error={send.error} />
        <Send pending={send.pending} done={send.done} />
      </form>
    </Card>
  )
}
