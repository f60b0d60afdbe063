<?php

// For projects without Composer: require this file, and the classes are found.
spl_autoload_register(static function (string $class): void {
    if (strncmp($class, 'Ngnpro\\', 7) === 0) {
        $file = __DIR__ . '/src/' . substr($class, 7) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
