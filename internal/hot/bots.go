package hot

import weir "github.com/weir-analytics/weir"

// BotsOf returns the name under which a project's bots are counted: their presence and
// their uniques. Those of the project itself count people alone. What is not about people,
// such as the numbers of events and calls, stands under the project for all.
//
// No project has such an id: ids are safe in URLs.
func BotsOf(project string) string { return project + "\x01bots" }

// CrowdOf returns the name under which the event's device counts as live and as unique: its
// project, or the project's bots.
func CrowdOf(e *weir.Event) string {
	if e.Bot {
		return BotsOf(e.ProjectID)
	}
	return e.ProjectID
}
