<?php
// Names what PHP 7.4 does not know in the files of a directory: syntax and functions of PHP 8.

const SYNTAX = ['T_MATCH', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_ATTRIBUTE', 'T_ENUM', 'T_READONLY'];
const FUNCTIONS = ['str_contains', 'str_starts_with', 'str_ends_with', 'get_debug_type', 'array_is_list', 'fdiv'];
const TYPES = ['mixed', 'never', 'false', 'static'];

/** The tokens of a file that mean something. */
function tokens(string $file): array
{
    $tokens = PhpToken::tokenize(file_get_contents($file));
    return array_values(array_filter($tokens, fn ($token) => !$token->isIgnorable()));
}

/** What is wrong with the token at a position; null for nothing. */
function wrong(array $tokens, int $at): ?string
{
    [$before, $token, $next] = [$tokens[$at - 1] ?? null, $tokens[$at], $tokens[$at + 1] ?? null];
    $after = $tokens[$at + 2] ?? null;
    return match (true) {
        in_array($token->getTokenName(), SYNTAX, true) => $token->text,
        $token->is(T_STRING) && in_array($token->text, FUNCTIONS, true) && $next?->text === '(' => "$token->text()",
        $token->is('(') && $next?->is(T_ELLIPSIS) && $after?->text === ')' => 'f(...)',
        $token->is(T_STRING) && in_array($before?->text, ['(', ','], true) && $next?->text === ':' => "$token->text: …",
        $token->is(T_CATCH) && !hasVariable($tokens, $at) => 'catch without variable',
        $token->is(T_THROW) && !in_array($before?->text, [';', '{', '}', ')', ':', 'else'], true) => 'throw in an expression',
        $token->is(':') && $before?->text === ')' && in_array($next?->text, TYPES, true) => ": $next->text",
        $token->is([T_FUNCTION, T_FN]) => wrongDeclaration($tokens, $at),
        default => null,
    };
}

function hasVariable(array $tokens, int $at): bool
{
    for (; $tokens[$at]->text !== ')'; $at++) {
        if ($tokens[$at]->is(T_VARIABLE)) {
            return true;
        }
    }
    return false;
}

/** Of the parameters of a function. */
function wrongDeclaration(array $tokens, int $at): ?string
{
    while ($tokens[$at]->text !== '(') {
        $at++;
    }
    for ($depth = 0, $last = null;; $last = $tokens[$at++]) {
        $token = $tokens[$at];
        $depth += ['(' => 1, ')' => -1][$token->text] ?? 0;
        if ($depth === 0) {
            return $last->text === ',' ? 'a comma after the last parameter' : null;
        }
        if ($token->is([T_PUBLIC, T_PRIVATE, T_PROTECTED])) {
            return 'a property as parameter';
        }
        if ($token->text === '|' || in_array($token->text, TYPES, true) && $tokens[$at + 1]->is(T_VARIABLE)) {
            return "the type $token->text";
        }
    }
}

$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($argv[1], FilesystemIterator::SKIP_DOTS));
foreach ($files as $file) {
    if ($file->getExtension() !== 'php') {
        continue;
    }
    $tokens = tokens($file->getPathname());
    foreach (array_keys($tokens) as $at) {
        if ($problem = wrong($tokens, $at)) {
            echo "{$file->getFilename()}:{$tokens[$at]->line} $problem\n";
        }
    }
}
