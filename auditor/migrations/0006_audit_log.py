
from django.db import migrations, models

from auditor.auditlog import append_only


def remove_triggers(apps, schema_editor):
    """They are made after each migrate; taking this migration back takes them away for good."""
    append_only.remove(using=schema_editor.connection.alias)


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0005_integrity'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='event',
            name='auditor_event_by_run',
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('run_id__isnull', False)), fields=['run_id', 'position'], name='auditor_event_by_run'),
        ),
        migrations.CreateModel(
            name='Verified',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('batch', models.PositiveBigIntegerField()),
                ('position', models.PositiveBigIntegerField()),
                ('seal', models.CharField(max_length=64)),
                ('keyed_since', models.PositiveBigIntegerField(null=True)),
                ('verified_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='auditor_verified_one_row')],
            },
        ),
        # The last to be done, which makes it the first to be undone.
        migrations.RunPython(migrations.RunPython.noop, remove_triggers),
    ]
