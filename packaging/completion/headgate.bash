# bash completion for headgate(1), for bash 4.1 and later, with or without its package bash-completion. headgate itself
# knows what fits: the first line of its answer says whether a file does, the others are candidates, each with a tab and
# its meaning behind it.

_headgate() {
    local paths each
    COMPREPLY=()
    # Nothing that was typed is evaluated, and compgen -W would do that with its words.
    {
        IFS= read -r paths
        while IFS=$'\t' read -r each _; do
            [[ $each == "$2"* ]] || continue
            printf -v each %q "$each"
            COMPREPLY+=("${each//\\,/,}")  # which %q escapes, and which is one only within braces
        done
    } < <("$1" candidates "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
    # A part of a filter goes on behind its `=`.
    [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
    # Where no candidate fits.
    case $paths in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
    esac
}

complete -F _headgate headgate
