import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'

import { answer, api } from '../../api/client'
import { projectsQuery, sessionQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { deletionsQuery } from '../api'
import { Ask } from '../Ask'
import { t } from '../texts'
import { useProject } from '../useProject'

/** Deletes the project. Administrators of the server then see how far it is. */
export function DeleteCard() {
  const { id, name } = useProject()
  const { data: session } = useSuspenseQuery(sessionQuery)
  const queries = useQueryClient()
  const router = useRouter()
  const gone = async () => {
    await router.navigate(session.user?.admin ? { to: '/settings/deletions' } : { to: '/' })
    queries.removeQueries({ queryKey: ['project', id] })
    await queries.invalidateQueries({ queryKey: projectsQuery.queryKey })
    await queries.invalidateQueries({ queryKey: deletionsQuery.queryKey })
  }
  return (
    <Card title={t.remove.title}>
      <p className="mb-4 max-w-2xl text-sm text-muted">{t.remove.text}</p>
      <div>
        <Ask
          label={t.remove.verb}
          title={t.remove.question(name)}
          text={t.remove.warning}
          verb={t.remove.verb}
          phrase={{ label: t.remove.phrase(name), value: name }}
          run={() => answer(api.DELETE('/api/v1/projects/{id}', { params: { path: { id } }, body: { name } }))}
          done={() => void gone()}
        />
      </div>
    </Card>
  )
}
