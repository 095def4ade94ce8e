/** As in Gunicorn's examples/logging.conf. */
export const loggingConf = `
[loggers]
keys=root, gunicorn.error, gunicorn.access

[handlers]
keys=console, error_file, access_file, log

[formatters]
keys=generic, access

[logger_root]
level=INFO
handlers=console

[logger_gunicorn.error]
level=INFO
handlers=error_file
propagate=1
qualname=gunicorn.error

[logger_gunicorn.access]
level=INFO
handlers=access_file, log
propagate=0
qualname=gunicorn.access

; comments
[handler_console]
class=StreamHandler
formatter=generic
args=(sys.stdout, )

[handler_error_file]
class=logging.FileHandler
formatter=generic
args=('/tmp/gunicorn.error.log',)

[handler_access_file]
class=logging.handlers.RotatingFileHandler
formatter=access
args=('/tmp/gunicorn.access.log', 'a', 1000, 2)

[handler_log]
class=handlers.SysLogHandler
args=(('localhost', 1514), handlers.SysLogHandler.LOG_LOCAL0)
kwargs={'socktype': socket.SOCK_DGRAM}

[formatter_generic]
format=%(asctime)s [%(process)d] [%(levelname)s] %(message)s
datefmt=%Y-%m-%d %H:%M:%S
class=logging.Formatter

[formatter_access]
format=%(message)s
class=logging.Formatter
`;
