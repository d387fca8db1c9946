_yagura() {
  local cur=${COMP_WORDS[COMP_CWORD]} opts verbs
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W 'serve config org setup-code person role grant system approval token source event indicator detect dns alert search export doctor status audit-log job system-event backup demo version licences completion manual ' -- "$cur"))
    return
  fi
  case ${COMP_WORDS[1]} in
    'config') verbs='check print schema manual events ' ;;
    'org') verbs='list add show set remove ' ;;
    'person') verbs='list add show disable enrol ' ;;
    'role') verbs='list ' ;;
    'grant') verbs='list add remove ' ;;
    'system') verbs='list add show change member remove ' ;;
    'approval') verbs='list show request approve refuse ' ;;
    'token') verbs='list add revoke ' ;;
    'source') verbs='list expect ' ;;
    'event') verbs='search show import normalize ' ;;
    'indicator') verbs='lists list-add list-remove import search check add expire remove allow allowed disallow publish compile match ' ;;
    'detect') verbs='check compile run test ' ;;
    'dns') verbs='compile check explain block blocked unblock settings mode answer ' ;;
    'alert') verbs='list group show events watch history set snooze due-policy close comment comments merge unmerge split allow bulk ' ;;
    'search') verbs='save list remove ' ;;
    'export') verbs='create fetch ' ;;
    'audit-log') verbs='list verify ' ;;
    'job') verbs='list show cancel undo ' ;;
    'system-event') verbs='list ' ;;
    'backup') verbs='create list verify restore ' ;;
    'demo') verbs='load status remove ' ;;
  esac
  if [ -n "$verbs" ] && [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
    return
  fi
  case "${COMP_WORDS[1]}${verbs:+ ${COMP_WORDS[2]}}" in
    'serve') opts='--config --data --only --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'config check') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'config print') opts='--changed --roles --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'config schema') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'config manual') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'config events') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'org list') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'org add') opts='--title --kind --parent --prefecture --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'org show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'org set') opts='--title --kind --parent --prefecture --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'org remove') opts='--force --no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'setup-code') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'person list') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'person add') opts='--name --org --email --language --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'person show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'person disable') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'person enrol') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'role list') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'grant list') opts='--person --org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'grant add') opts='--node --system --period-from --period-to --expires --reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'grant remove') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system list') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system add') opts='--title --owner --importance --scheme --confidentiality --integrity --availability --network --host --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system change') opts='--title --owner --importance --scheme --confidentiality --integrity --availability --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system member') opts='--network --host --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system remove') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'approval list') opts='--state --org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'approval show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'approval request') opts='--org --person --reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'approval approve') opts='--reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'approval refuse') opts='--reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'token list') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'token add') opts='--org --scope --expires --out --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'token revoke') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'source list') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'source expect') opts='--every --remove --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'event search') opts='--from --to --org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'event show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'event import') opts='--org --source --sensor --batch-bytes --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'event normalize') opts='--source --mapping --received --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator lists') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator list-add') opts='--org --title --tlp --confidence --category --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator list-remove') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator import') opts='--list --org --title --tlp --confidence --category --format --replace --force-suffix --no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator search') opts='--org --type --list --validity --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator check') opts='--org --type --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator add') opts='--list --confidence --tlp --category --family --until --force-suffix --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator expire') opts='--at --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator remove') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator allow') opts='--org --reason --expires --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator allowed') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator disallow') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator publish') opts='--no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator compile') opts='--out --list-name --format --category --tlp --org --allow --force-suffix --generation --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'indicator match') opts='--snapshot --source --mapping --org --at --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'detect check') opts='--rules --values --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'detect compile') opts='--rules --out --values --generation --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'detect run') opts='--rules --values --snapshot --source --mapping --category --product --service --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'detect test') opts='--values --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns compile') opts='--out --generation --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns check') opts='--snapshot --client --org --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns explain') opts='--type --org --client --do --cd --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns block') opts='--org --all --category --reason --ede --expires --force-suffix --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns blocked') opts='--org --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns unblock') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns settings') opts='--org --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns mode') opts='--org --all --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'dns answer') opts='--org --all --category --ttl --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert list') opts='--org --state --severity --assignee --watched --overdue --sort --indicator --q --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert group') opts='--by --org --state --severity --assignee --indicator --asset --q --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert events') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert watch') opts='--end --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert history') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert set') opts='--state --verdict --reason --assign --set-severity --due --snooze --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert snooze') opts='--until --reason --end --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert due-policy') opts='--org --severity --span --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert close') opts='--verdict --reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert comment') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert comments') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert merge') opts='--reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert unmerge') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert split') opts='--reason --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert allow') opts='--reason --expires --all-organisations --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'alert bulk') opts='--org --from-state --severity --assignee --indicator --q --watched --overdue --state --verdict --reason --assign --set-severity --due --snooze --no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'search save') opts='--page --query --shared --org --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'search list') opts='--page --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'search remove') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'export create') opts='--format --filter --out --no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'export fetch') opts='--out --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'doctor') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'status') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'audit-log list') opts='--org --object --limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'job list') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'job show') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'job cancel') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'job undo') opts='--no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'system-event list') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'backup create') opts='--no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'backup list') opts='--limit --output --fields --all --watch --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'audit-log verify') opts='--state --head --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'backup verify') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'backup restore') opts='--data --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'demo load') opts='--records --no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'demo status') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'demo remove') opts='--no-wait --help --json --quiet --socket --server --token-file --ca-file ' ;;
    'version') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'licences') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'completion') opts='--help --json --quiet --socket --server --token-file --ca-file ' ;;
    'manual') opts='--ja --help --json --quiet --socket --server --token-file --ca-file ' ;;
  esac
  case $cur in
    -*) COMPREPLY=($(compgen -W "$opts" -- "$cur")) ;;
    *) COMPREPLY=($(compgen -f -- "$cur")) ;;
  esac
}
complete -F _yagura yagura
