
from django.db import migrations, models

from auditor.journal import triggers


def remove_triggers(apps, schema_editor):
    """On SQLite, a trigger that outlived the journal's table would make each write of the host fail."""
    triggers.remove(using=schema_editor.connection.alias)


class Migration(migrations.Migration):

    dependencies = [
        ('auditor', '0003_undo_and_evidence'),
    ]

    operations = [
        migrations.CreateModel(
            name='UncheckedReference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.CharField(max_length=255)),
                ('key', models.TextField()),
            ],
        ),
        migrations.AddField(
            model_name='root',
            name='resolved_until',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='root',
            name='told_until',
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.CreateModel(
            name='Candidate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('field', models.CharField(max_length=255)),
                ('key', models.TextField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('field', 'key'), name='auditor_candidate_once')],
            },
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['type', 'position'], name='auditor_event_by_type'),
        ),
        # The last to be done, which makes it the first to be undone.
        migrations.RunPython(migrations.RunPython.noop, remove_triggers),
    ]
