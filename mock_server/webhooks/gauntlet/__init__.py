"""The gauntlet: hostile and merely unusual webhooks, sent to an application to see which it takes."""
